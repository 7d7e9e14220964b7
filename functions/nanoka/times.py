"""Moments as clients read them: ISO 8601 in UTC, always with microseconds, so that equal moments are equal texts."""

from datetime import UTC, datetime


def utc_sql(moment: str) -> str:
    """The text of a timestamptz expression."""
    return f"""to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def utc(moment: datetime) -> str:
    """The text of a datetime that knows its zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
