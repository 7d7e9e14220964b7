"""Seven days: how long a message lives, written once."""

from datetime import timedelta

LIFETIME_HOURS = 168
LIFETIME = timedelta(hours=LIFETIME_HOURS)
LIFETIME_SQL = f"interval '{LIFETIME_HOURS} hours'"


def alive(alias: str) -> str:
    """The condition under which a row of `messages AS alias` still lives: every read of the table asks for it."""
    return f"{alias}.created_at > now() - {LIFETIME_SQL}"


def expires(created_at: str) -> str:
    """The end of a message's life as SQL, from the SQL of its creation."""
    return f"({created_at} + {LIFETIME_SQL})"
