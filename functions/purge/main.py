"""purge: deletes what is older than seven days, when its schedule or ops ask for it."""

import time

from flask import Request, Response

from nanoka import logs
from nanoka.callers import Callers
from nanoka.database import Database
from nanoka.problems import Problem
from nanoka.purging import purge as run_purge
from nanoka.routing import Router, json_response
from nanoka.settings import DatabaseSettings, PurgeSettings
from nanoka.times import utc

STATEMENT_TIMEOUT = 300.0
"""Seconds; also how long a purge waits for another one to end."""

database = Database(DatabaseSettings.read(), name="purge", statement_timeout=STATEMENT_TIMEOUT)
callers = Callers(PurgeSettings.read())
router = Router(origin=None)


def purge(request: Request) -> Response:
    return router(request)


@router.route("POST", "/")
def delete_expired(request: Request) -> Response:
    started = time.monotonic()
    callers.require(request)
    dry_run = request.args.get("dry_run", "false")
    if dry_run not in ("true", "false"):
        raise Problem(422, "dry_run must be true or false.", field="dry_run")
    result = run_purge(database, dry_run=dry_run == "true")
    deleted = {"messages": result.messages, "conversations": result.conversations, "sessions": result.sessions}
    took_ms = round((time.monotonic() - started) * 1000, 1)
    logs.info("purged", dry_run=result.dry_run, deleted=deleted, took_ms=took_ms)
    return json_response(
        {
            "cutoff": utc(result.cutoff),
            "dry_run": result.dry_run,
            "deleted": deleted,
            "oldest_message_at": utc(result.oldest_message_at) if result.oldest_message_at else None,
            "took_ms": took_ms,
        }
    )
