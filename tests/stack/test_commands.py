"""What developers and ops start beside the stack, and the parts that stand in for Google."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack import postgres
from tests.stack.browser import Browser
from tests.stack.conftest import OTHERS, Runner, runners
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., Runner]

pytestmark = pytest.mark.stack

LOCAL = {
    "OIDC_ISSUER": "",
    "PURGE_CERTS_URL": "",
    "PURGE_AUDIENCE": "https://own.example",
    "PURGE_CALLERS": "first@ops.example, second@ops.example",
}
"""The sign-in and the token issuer run here (an empty variable is none); who may purge is given."""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A stack with its own sign-in and token issuer."""
    with runners(tmp_path_factory.mktemp("commands")) as start:
        runner = start("chat", **LOCAL)
        runner.wait_for("Nanoka is ready")
        yield runner


def test_two_people_sign_in_by_a_plain_form_and_stay_the_same_people(chat: Runner) -> None:
    ids = set()
    browser = Browser()
    for sub in ("alice", "bob", "alice"):
        form = browser.open(f"{chat.url}/api/auth/login?next=/about")
        assert re.findall('<button type="submit" name="sub" value="([a-z]+)">', form.text) == ["alice", "bob"]
        assert browser.sign_in(chat.url, sub, then="/about").url == f"{chat.url}/about"
        person = browser.open(f"{chat.url}/api/auth/me").json()
        assert (person["name"], person["email"]) == (sub.capitalize(), f"{sub}@people.example")
        ids.add(person["id"])
    assert len(ids) == 2


def test_the_provider_enforces_pkce(chat: Runner) -> None:
    issuer = chat.wait_for("  sign-in ").split()[1]
    answer = httpx.get(
        f"{issuer}/auth",
        params={
            "client_id": OTHERS["OIDC_CLIENT_ID"],
            "redirect_uri": f"{chat.url}/api/auth/callback",
            "response_type": "code",
            "scope": "openid",
        },
    )
    assert "error=invalid_request" in answer.headers["location"]
    assert "PKCE" in answer.headers["location"]


def _purge(chat: Runner, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.stack", "purge", "--folder", str(chat.folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"functions{os.pathsep}.", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_purge_prints_its_answer_and_nothing_else(chat: Runner) -> None:
    postgres.execute(
        chat.database_url,
        "WITH person AS (INSERT INTO users (issuer, subject, email, name) VALUES ('i', 's', 'e', 'n') RETURNING id),"
        " old AS (INSERT INTO conversations (id, user_id, created_at, updated_at)"
        "  SELECT gen_random_uuid(), id, now() - interval '8 days', now() - interval '8 days' FROM person RETURNING id)"
        " INSERT INTO messages (conversation_id, id, role, created_at)"
        "  SELECT id, gen_random_uuid(), 'user', now() - interval '8 days' FROM old",
    )
    for arguments, dry_run in ((["--dry-run"], True), ([], False)):
        ended = _purge(chat, *arguments)
        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)
        assert answer["dry_run"] is dry_run
        assert answer["deleted"]["conversations"] == 1
    assert postgres.execute(chat.database_url, "SELECT count(*) FROM conversations") == [[0]]


def test_purge_sends_the_token_that_it_is_given(chat: Runner) -> None:
    refused = _purge(chat, PURGE_TOKEN="not.a.token")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Purge answered with 401" in refused.stderr
    issuer = chat.wait_for("  token issuer ").split()[2]
    token = httpx.get(f"{issuer}/token", params={"audience": "another", "email": "first@ops.example"}).text
    assert "403" in _purge(chat, PURGE_TOKEN=token).stderr


def test_purge_without_a_function_says_what_to_do(run: Run) -> None:
    nobody = run("purge")
    assert nobody.wait() == 1
    assert "No purge function is running here. Start one with `nox -s chat`" in nobody.output


@pytest.mark.parametrize("name", ["login", "list_history", "purge"])
def test_one_function_alone_answers_the_command_that_it_prints(run: Run, name: str) -> None:
    alone = run("function", name, **LOCAL)
    alone.wait_for(f"The function {name} is ready")
    assert alone.processes().keys() == {name}
    assert "functions-framework" in " ".join(alone.processes()[name].cmdline())
    script = "\n".join(line for line in alone.lines if line.startswith(("TOKEN=", "curl ")))
    ended = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0
    expected = {"login": "302 FOUND", "list_history": '"conversations":[]', "purge": '"dry_run":true'}
    assert expected[name] in ended.stdout
    alone.signal(signal.SIGTERM)
    assert alone.wait(40) == 0


def test_a_function_beside_a_running_stack_uses_its_database(chat: Runner) -> None:
    alone = Runner(["function", "list_history"], chat.folder, {"NANOKA_TEST_MARK": str(chat.folder / "function")})
    try:
        alone.wait_for("The function list_history is ready")
        assert f"runs as process {chat.pid}" in alone.lines[0]
        assert alone.processes()["list_history"].environ()["DATABASE_URL"] == chat.database_url
        command = next(line for line in alone.lines if line.startswith("curl "))
        cookie = shlex.split(command)[2].removeprefix("Cookie: ")
        assert httpx.get(f"{chat.url}/api/conversations", headers={"Cookie": cookie}).status_code == 200
    finally:
        alone.signal(signal.SIGTERM)
        alone.wait(40)
