"""One function alone on the local database, for a developer with curl."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.stack import postgres
from tests.stack.home import Home
from tests.stack.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.console import Console

ISSUER = "local:developer"


def stack_for(name: str, folder: Path, console: Console) -> Stack:
    """A stack of this one function and the parts that it needs; a running stack's parts are used as they are."""
    running = Home(folder).running()
    if running is None:
        return Stack(folder=folder, names=[name], front=False, framework=True, console=console)
    console.say(f"Using the parts of the stack that runs as process {running['pid']}")
    own = {"PUBLIC_URL", "GRACE_SECONDS"}
    if name == "login":  # its provider sends people back to the running stack, not to this function
        own |= {"OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"}
    env = {key: value for key, value in running["settings"].items() if key not in own}
    if running["database_url"]:
        env["DATABASE_URL"] = running["database_url"]
    return Stack({**env, **os.environ}, folder / "function", names=[name], front=False, framework=True, console=console)


def explain(stack: Stack, name: str, console: Console) -> None:
    """Print a curl command that the function answers with success."""
    address = stack.url
    cookie = ""
    if name in ("send_message", "list_history") and stack.database_url:
        cookie = f" -H 'Cookie: {session(stack.database_url)}'"
        console.say("A session of a developer's own has been put into the database, for these commands:")
    origin = f" -H 'Origin: {stack.settings.complete()['PUBLIC_URL']}'"
    message = {
        "login": f"curl -i {address}/api/auth/login",
        "list_history": f"curl{cookie} {address}/api/conversations",
        "send_message": (
            f"curl -N{cookie}{origin} -H 'Content-Type: application/json' {address}/api/messages -d "
            f"""'{{"id":"{uuid4()}","trigger":"submit-message","messages":[{{"id":"{uuid4()}","role":"user","""
            f""""parts":[{{"type":"text","text":"Hello"}}]}}]}}'"""
        ),
        "purge": f"curl -X POST -H \"Authorization: Bearer $TOKEN\" '{address}/?dry_run=true'",
    }[name]
    if name == "purge" and stack.issuer:
        settings = stack.settings.complete()
        caller = settings["PURGE_CALLERS"].split(",")[0]
        console.say(f"TOKEN=$(curl -s '{stack.issuer}/token?audience={settings['PURGE_AUDIENCE']}&email={caller}')")
    console.say(message)
    console.say(f"The function {name} is ready: {address}")


def session(database_url: str) -> str:
    """Put a session of a person `developer` into the database and return its cookie."""
    from nanoka import sessions
    from nanoka.database import Database
    from nanoka.settings import DatabaseSettings

    postgres.execute(
        database_url,
        "INSERT INTO users (issuer, subject, email, name)"
        f" VALUES ('{ISSUER}', 'developer', 'developer@people.example', 'Developer')"
        " ON CONFLICT (issuer, subject) DO NOTHING",
    )
    database = Database(DatabaseSettings.read({"DATABASE_URL": database_url}), name="developer")
    try:
        ((user_id,),) = database.run("SELECT id FROM users WHERE issuer = :issuer", issuer=ISSUER)
        token = database.transaction(lambda connection: sessions.create(connection, user_id))
    finally:
        database.close()
    return f"{sessions.COOKIE}={token}"
