"""The UI in Debian's Chromium, on the whole local stack with its real parts."""
