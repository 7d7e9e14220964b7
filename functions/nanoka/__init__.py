"""What the four functions share, one concept a module."""
