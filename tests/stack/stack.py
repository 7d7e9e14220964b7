"""The whole stack: starts every part that the environment does not replace, and stops them again."""

from __future__ import annotations

import resource
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.stack import home, migration, node, ports, postgres, services, token_issuer
from tests.stack.console import Console
from tests.stack.errors import StackError
from tests.stack.function import Function
from tests.stack.model import Model
from tests.stack.nginx import FUNCTIONS as REACHED
from tests.stack.nginx import Nginx
from tests.stack.process import Programs
from tests.stack.settings import Settings
from tests.stack.sign_in import SignIn
from tests.stack.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

GRACE_SECONDS = 20
"""How long running answers may go on after SIGTERM, where a person waits for the prompt."""
AUDIENCE = "https://purge.nanoka.example"
CALLER = "ops@nanoka.example"
OPEN_FILES = 8192
"""NGINX and a function hold a file for each stream; macOS allows 256 unless asked."""


class Stack:
    """Every part of Nanoka on this machine, with its data in `folder`.

    `env` is added to the environment; what is set there wins, and its part is not started. `pages` serves a
    folder of pages instead of building the web UI. `names` are the functions to run: all of them behind NGINX,
    or some alone (`front=False`), under functions-framework's own server with `framework=True`.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        folder: Path = home.FOLDER,
        *,
        pages: Path | None = None,
        names: Sequence[str] = services.NAMES,
        front: bool = True,
        framework: bool = False,
        console: Console | None = None,
    ) -> None:
        self.home = home.Home(folder)
        self.settings = Settings(env)
        self.programs = Programs()
        self.functions: dict[str, Function] = {}
        self.supervisor = Supervisor(self.programs, self.functions, console or Console(quiet=True))
        self.database_url = self.settings.given("DATABASE_URL")
        """The superuser's address of the local database, or the one that was given."""
        self.issuer = ""
        """The local issuer of purge's tokens, if there is one."""
        self.url = ""
        """The front's address; without a front, that of the first function."""
        self._names = tuple(names)
        self._front = front
        self._framework = framework
        self._pages = pages
        self._ui_config: dict[str, object] = {}
        self._logins: dict[str, str] = {}
        self._console = console or Console(quiet=True)
        self._stopping = threading.Lock()

    def start(self, *, forget: bool = False) -> None:
        """Start everything, with nothing remembered if `forget`; returns when all of it answers.

        Raises StackError, with nothing left running.
        """
        try:
            self._prepare(forget=forget)
            self._start_parts()
            self._start_functions()
            if self._front:
                self._start_front()
        except BaseException:
            self.stop()
            raise
        complete = self.settings.complete()
        self.home.tell(
            url=self.url,
            database_url=self.database_url,
            issuer=self.issuer,
            functions={name: function.url for name, function in self.functions.items()},
            settings=self.settings.told() | {name: complete[name] for name in ("PURGE_AUDIENCE", "PURGE_CALLERS")},
        )
        self.supervisor.start()

    def stop(self) -> None:
        """Stop everything: functions first, which save their answers, and the database last.

        Two threads may ask for it at once: one whose start has failed, and one that has waited for the end.
        """
        with self._stopping:
            self.supervisor.stop()
            self.programs.stop()
            self.home.release()

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self, *, forget: bool) -> None:
        front_port = self.settings.front_port()
        if self._front and ports.is_taken(front_port):
            raise StackError(
                f"Port {front_port} is in use by another program. Stop that one, or choose another port: "
                f"NANOKA_PORT={front_port + 1} nox -s chat"
            )
        self.home.hold()
        if forget:
            self.home.forget()
        _allow_open_files()
        self._ports = ports.Ports(self.home.folder / "ports.json")
        self._function_ports = {name: self._ports.claim(name) for name in self._names}
        self._front_port = front_port
        self.url = f"http://localhost:{front_port if self._front else self._function_ports[self._names[0]]}"
        self.settings.tell(
            PUBLIC_URL=self.url, GRACE_SECONDS=str(GRACE_SECONDS), PURGE_AUDIENCE=AUDIENCE, PURGE_CALLERS=CALLER
        )

    def _start_parts(self) -> None:
        """Start what needs nothing else, all at the same time: the slowest decides how long it takes."""
        jobs: list[Callable[[], None]] = [self._start_database]
        if "login" in self._names and not self.settings.given("OIDC_ISSUER"):
            jobs.append(self._start_sign_in)
        if "send_message" in self._names and not self.settings.given("CHAT_MODEL"):
            jobs.append(self._start_model)
        if "purge" in self._names and not self.settings.given("PURGE_CERTS_URL"):
            jobs.append(self._start_token_issuer)
        if self._front and self._pages is None:
            jobs.append(self._build_pages)
        with ThreadPoolExecutor(len(jobs)) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self.programs.stop()  # lets the other jobs fail, which the pool waits for
                raise

    def _start_database(self) -> None:
        since = time.monotonic()
        server = None
        if not self.database_url and not self.settings.given("INSTANCE_CONNECTION_NAME"):
            log = self.home.log("postgres")
            server = postgres.Postgres(self.home.folder / "postgres", log=log, programs=self.programs)
            server.start(self._ports.claim("postgres"))
            self.database_url = server.url
            self._console.ready("PostgreSQL", self.database_url, log, since)
        since, log = time.monotonic(), self.home.log("migrate")
        address = {"DATABASE_URL": self.database_url} if self.database_url else {}
        migration.migrate({**self.settings.complete(), **address}, log, self.programs)
        self._console.ready("migrations", "are applied", log, since)
        if server is not None:
            # As in the cloud, a function may do what it needs to and nothing else.
            self._logins = {role: server.login(role) for role in ("nanoka_app", "nanoka_purge")}

    def _start_sign_in(self) -> None:
        since = time.monotonic()
        self.settings.tell(OIDC_CLIENT_ID="nanoka", OIDC_CLIENT_SECRET=secrets.token_urlsafe(24))
        part = SignIn(self.home.folder / "sign-in", self.home.log("sign-in"))
        part.start(self._ports.claim("sign-in"), self.settings.complete(), self.programs, self._console)
        self.settings.tell(OIDC_ISSUER=part.issuer)
        self._console.ready("sign-in", part.issuer, part.log, since)

    def _start_model(self) -> None:
        since = time.monotonic()
        part = Model(self.settings.given("NANOKA_GGUF"), self.home.log("model"))
        part.start(self._ports.claim("model"), self.programs)
        self.settings.tell(**part.settings)
        if other := self.settings.given("OPENAI_BASE_URL"):
            self._console.say(f"  OPENAI_BASE_URL={other} is left aside: without CHAT_MODEL the local model answers")
        self.settings.insist(OPENAI_BASE_URL=part.address)
        if part.bundled:
            self._ui_config["model_languages"] = ["en"]
        self._console.ready("chat model", f"{part.address} {part.alias}", part.log, since)

    def _start_token_issuer(self) -> None:
        since = time.monotonic()
        port, log = self._ports.claim("token-issuer"), self.home.log("token-issuer")
        self.issuer = token_issuer.start(self.home.folder / "token-issuer", port, log, self.programs)
        self.settings.tell(PURGE_CERTS_URL=f"{self.issuer}/certs")
        self._console.ready("token issuer", self.issuer, log, since)

    def _build_pages(self) -> None:
        since = time.monotonic()
        self._pages = node.build_pages(self.programs, self._console)
        self._console.ready("pages", str(self._pages), None, since)

    def _start_functions(self) -> None:
        self._move_people()
        since = time.monotonic()
        for name in self._names:
            settings = self.settings.complete()
            if self._logins:
                settings["DATABASE_URL"] = self._logins["nanoka_purge" if name == "purge" else "nanoka_app"]
            self.functions[name] = Function(
                name,
                self._function_ports[name],
                settings,
                self.home.log(name),
                self.programs,
                framework=self._framework,
            )
            self.functions[name].start()
        for function in self.functions.values():
            function.wait()
            self._console.ready(function.name, function.url, function.log, since)

    def _move_people(self) -> None:
        """Let the local people keep what they wrote when their issuer had to take another port."""
        before, now = self._ports.before("sign-in"), self.settings.told().get("OIDC_ISSUER")
        if before and now and self._logins and now != SignIn.issuer_at(before):
            postgres.execute(
                self.database_url, f"UPDATE users SET issuer = '{now}' WHERE issuer = '{SignIn.issuer_at(before)}'"
            )

    def _start_front(self) -> None:
        since = time.monotonic()
        assert self._pages is not None
        front = Nginx(self.home.folder / "nginx", self._front_port, self.home.log("nginx"), self.home.log("access"))
        upstreams = {name: self.functions[name].port for name in REACHED}
        front.start(self._pages, upstreams, self.programs, self._ui_config)
        self._console.ready("NGINX", front.url, front.access_log, since)


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
