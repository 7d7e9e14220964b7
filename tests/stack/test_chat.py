"""The whole stack as a person or a program drives it: started, broken, signalled, and gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from tests.stack import developer, ports, postgres, services, supervisor
from tests.stack.conftest import GIVEN, NOWHERE, Runner
from tests.standins.openai_model import OpenAIModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Runner]

pytestmark = pytest.mark.stack


def test_says_what_runs_where_and_then_that_it_is_ready(chat: Runner) -> None:
    ready = chat.lines.index(chat.wait_for("Nanoka is ready"))
    assert chat.lines[ready] == f"Nanoka is ready: {chat.url}"
    for part in ("PostgreSQL", "NGINX", *services.NAMES):
        line = chat.wait_for(f"  {part} ")
        assert chat.lines.index(line) < ready
        assert f"  log {chat.folder / 'logs'}" in line
    assert httpx.get(f"{chat.url}/").text == "<h1>Start</h1>"
    assert httpx.get(f"{chat.url}/api/auth/me").status_code == 401
    assert httpx.get(f"{chat.url}/api/messages/ready").status_code == 204
    ((superuser,),) = postgres.execute(chat.database_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    assert superuser


def test_what_is_set_reaches_the_functions_unchanged(chat: Runner) -> None:
    functions = chat.processes()
    assert functions.keys() == set(services.NAMES)
    for name, process in functions.items():
        environment = process.environ()
        assert GIVEN.items() <= environment.items()
        assert environment["PUBLIC_URL"] == chat.url
        assert environment["OIDC_ISSUER"] == NOWHERE
        assert environment["GRACE_SECONDS"] == "20"
        assert environment["THREADS"] == str(services.load(name).concurrency)


def test_functions_log_in_as_the_role_that_has_what_they_need_and_no_more(chat: Runner) -> None:
    roles = {}
    for name, process in chat.processes().items():
        ((superuser, app, purge),) = postgres.execute(
            process.environ()["DATABASE_URL"],
            "SELECT rolsuper, pg_has_role('nanoka_app', 'MEMBER'), pg_has_role('nanoka_purge', 'MEMBER')"
            " FROM pg_roles WHERE rolname = current_user",
        )
        assert not superuser
        roles[name] = (app, purge)
    assert roles.pop("purge") == (False, True)
    assert set(roles.values()) == {(True, False)}


def test_one_more_pod_is_the_same_command_with_another_port(chat: Runner) -> None:
    process = chat.processes()["list_history"]
    port = ports.free_port()
    pod = psutil.Popen(process.cmdline(), env={**process.environ(), "PORT": str(port)}, cwd="/")
    try:
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{process.environ()['PORT']}"):
            assert _status(f"{url}/api/conversations") == 401
    finally:
        pod.terminate()
        pod.wait(30)


@pytest.mark.parametrize("name", ["login", "send_message"])
def test_a_function_that_dies_is_started_again_within_two_seconds(chat: Runner, name: str) -> None:
    before = chat.processes()[name]
    port, workers = before.environ()["PORT"], before.children()
    os.kill(before.pid, signal.SIGKILL)
    killed = time.monotonic()
    assert "SIGKILL" in chat.wait_for(f"The function {name} (process {before.pid}) died", 2)
    said = chat.wait_for(f"The function {name} has been started again", 2 - (time.monotonic() - killed))
    assert said == f"The function {name} has been started again as process {chat.processes()[name].pid}"
    assert _status(f"http://127.0.0.1:{port}/api/auth/me") in (401, 404)
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)


def test_a_worker_that_dies_alone_is_told_of_and_replaced(chat: Runner) -> None:
    master = chat.processes()["list_history"]
    (worker,) = master.children()
    while time.time() < worker.create_time() + 2 * supervisor.WORKERS_SECONDS:  # until the supervisor knows it
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    said = f"The function list_history's worker (process {worker.pid}) died; process {master.pid} starts another"
    assert chat.wait_for(said, 2)
    assert _status(f"http://127.0.0.1:{master.environ()['PORT']}/api/conversations") == 401


def test_a_function_that_cannot_live_is_not_started_again_in_a_busy_loop(chat: Runner) -> None:
    for _ in range(2):
        os.kill(chat.processes()["purge"].pid, signal.SIGKILL)
        died = time.monotonic()
        while "purge" in chat.processes():
            time.sleep(0.01)
        while "purge" not in chat.processes():
            assert time.monotonic() - died < 2, chat.output
            time.sleep(0.01)
    assert time.monotonic() - died > 1


def test_a_second_stack_in_the_same_folder_is_refused(chat: Runner) -> None:
    second = Runner(["chat"], chat.folder, {"NANOKA_PORT": str(ports.free_port())})
    assert second.wait() == 1
    assert f"already runs from {chat.folder} at {chat.url} as process {chat.pid}" in second.output
    assert _status(f"{chat.url}/") == 200


def test_another_part_that_dies_is_named_and_ends_the_rest(run: Run) -> None:
    chat = run("chat")
    chat.wait_for("Nanoka is ready")
    nginx = next(p for p in psutil.Process(chat.pid).children() if "nginx" in " ".join(p.cmdline()))
    os.kill(nginx.pid, signal.SIGKILL)
    assert chat.wait(40) == 1
    assert "NGINX was ended by SIGKILL." in chat.output
    assert f"Its log is {chat.folder / 'logs' / 'nginx.log'}" in chat.output
    chat.wait_until_alone(5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(run: Run, number: signal.Signals) -> None:
    chat = run("chat")
    chat.wait_for("Nanoka is ready")
    chat.signal(number)
    assert chat.wait(40) == 0
    assert chat.lines[-1] == "Stopped."
    assert not chat.left_over()


def test_a_signal_ends_a_start_that_is_under_way(run: Run) -> None:
    chat = run("chat")
    chat.wait_for("PostgreSQL")
    chat.signal(signal.SIGTERM)
    assert chat.wait(40) == 0
    assert "Nanoka is ready" not in chat.output
    assert not chat.left_over()


def test_nothing_is_left_when_the_runner_itself_is_killed(run: Run) -> None:
    chat = run("chat")
    chat.wait_for("Nanoka is ready")
    assert len(chat.left_over()) > 5
    chat.signal(signal.SIGKILL)
    chat.wait()
    chat.wait_until_alone(40)
    again = run("chat")
    again.wait_for("Nanoka is ready")


def test_data_lasts_from_one_run_to_the_next_and_reset_forgets_it(run: Run) -> None:
    counts = []
    for arguments in (["chat"], ["chat"], ["chat", "--reset"]):
        chat = run(*arguments)
        chat.wait_for("Nanoka is ready")
        counts += postgres.execute(chat.database_url, "SELECT count(*) FROM users")
        postgres.execute(
            chat.database_url,
            "INSERT INTO users (issuer, subject, email, name) VALUES ('i', gen_random_uuid(), 'e', 'n')",
        )
        chat.signal(signal.SIGTERM)
        assert chat.wait(40) == 0
    assert counts == [[0], [1], [0]]


def test_a_port_in_use_is_told_with_what_to_do(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        chat = run("chat", NANOKA_PORT=str(port))
        assert chat.wait() == 1
    assert f"Port {port} is in use" in chat.output
    assert f"NANOKA_PORT={port + 1}" in chat.output
    assert "Traceback" not in chat.output


def test_a_setting_that_no_function_can_live_with_is_told_and_nothing_is_left(run: Run) -> None:
    chat = run("chat", PUBLIC_URL="ftp://nowhere")
    assert chat.wait() == 1
    assert "PUBLIC_URL must be an http or https address" in chat.output
    assert not chat.left_over()


def test_a_database_of_ones_own_is_migrated_and_given_to_the_functions(run: Run, tmp_path: Path) -> None:
    with postgres.Postgres(tmp_path / "own", durable=False) as own:
        chat = run("chat", DATABASE_URL=own.url)
        chat.wait_for("Nanoka is ready")
        assert not any("PostgreSQL" in line for line in chat.lines)
        assert {process.environ()["DATABASE_URL"] for process in chat.processes().values()} == {own.url}
        assert own.execute("SELECT count(*) FROM users") == [[0]]
        chat.signal(signal.SIGTERM)
        chat.wait()


def _status(url: str, seconds: float = 20) -> int:
    """The status with which an address answers, as soon as it does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.02)


def test_answers_still_running_at_sigterm_are_saved_as_interrupted(run: Run) -> None:
    question, conversation = str(uuid.uuid4()), str(uuid.uuid4())
    with OpenAIModel() as model:
        env = {"CHAT_MODEL": "openai:standin", "OPENAI_BASE_URL": f"{model.address}/v1", "GRACE_SECONDS": "1"}
        chat = run("chat", **env)
        chat.wait_for("Nanoka is ready")
        body = {
            "id": conversation,
            "trigger": "submit-message",
            "messages": [
                {"id": question, "role": "user", "parts": [{"type": "text", "text": "[[rate=20 words=5000]] Hello"}]}
            ],
        }
        headers = {"Cookie": developer.session(chat.database_url), "Origin": chat.url}
        with httpx.stream("POST", f"{chat.url}/api/messages", json=body, headers=headers, timeout=30) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if '"text-delta"' in line)
            chat.signal(signal.SIGTERM)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert chat.wait(40) == 0
        again = run("chat", **env)
        again.wait_for("Nanoka is ready")
        rows = postgres.execute(
            again.database_url, "SELECT role, status, length(text) > 0 FROM messages ORDER BY role DESC"
        )
        assert rows == [["user", "complete", True], ["assistant", "interrupted", True]]
