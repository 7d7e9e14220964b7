"""Stand-ins for services that a test cannot reach, each on a real socket and each able to fail on demand."""
