"""What stops the stack, told to a person: what happened, and what to do about it."""

from __future__ import annotations


class StackError(Exception):
    """A part could not be started or has died. The message is complete as it stands: print it alone."""
