"""Answers whose writer has died, as every reader must tell them: silence of 15 s is the sign.

Whoever writes an answer saves it at least once a second, so only a writer that is gone is ever silent for so long.
"""

SILENCE_SECONDS = 15
INTERRUPTED = "The answer was interrupted. Please try again."
NEVER_BEGUN = "The answer was interrupted before it began. Please try again."


def dead(alias: str) -> str:
    """Whether a row of `messages AS alias` is an answer that nobody writes any more, as SQL."""
    return f"({alias}.status = 'streaming' AND {alias}.saved_at < now() - interval '{SILENCE_SECONDS} seconds')"


def status(alias: str) -> str:
    """The status of a message as SQL; a dead answer is `interrupted`, or `failed` if it has no text."""
    interrupted = f"CASE {alias}.text WHEN '' THEN 'failed' ELSE 'interrupted' END"
    return f"CASE WHEN {dead(alias)} THEN {interrupted} ELSE {alias}.status END"


def error(alias: str) -> str:
    """The error of a message as SQL, for people to read."""
    interrupted = f"CASE {alias}.text WHEN '' THEN '{NEVER_BEGUN}' ELSE '{INTERRUPTED}' END"
    return f"CASE WHEN {dead(alias)} THEN {interrupted} ELSE {alias}.error END"
