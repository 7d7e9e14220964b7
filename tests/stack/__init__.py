"""The local stack: every part of Nanoka on one machine, with real parts and no account anywhere."""
