"""The whole stack with a chat model that does as it is told, and people who use it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from nanoka import sessions
from nanoka.database import Database
from nanoka.settings import DatabaseSettings
from tests.functions.conftest import Rows
from tests.stack import node, ports
from tests.stack.console import Console
from tests.stack.process import Programs
from tests.stack.stack import Stack
from tests.standins.behaviour import Behaviour
from tests.standins.openai_model import OpenAIModel
from tests.web.line import Line

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from playwright.sync_api import StorageState


@dataclass(frozen=True)
class Visitor:
    """Somebody with an account and a session of their own."""

    id: UUID
    name: str
    email: str
    token: str

    def storage(self, url: str) -> StorageState:
        """What their browser keeps: the session's cookie."""
        return {
            "cookies": [
                {
                    "name": sessions.COOKIE,
                    "value": self.token,
                    "domain": url.split("//")[1].split(":", maxsplit=1)[0],
                    "path": "/",
                    "expires": -1,
                    "httpOnly": True,
                    "secure": True,
                    "sameSite": "Lax",
                }
            ],
            "origins": [],
        }


class Site:
    """NGINX, four functions, PostgreSQL, the OpenID provider and the pages, with the model's stand-in behind them."""

    def __init__(self, folder: Path) -> None:
        self.model = OpenAIModel()
        self.line = Line()
        """The network between the browser and the front."""
        self._folder = folder

    def __enter__(self) -> Self:
        self.model.__enter__()
        front = ports.free_port()
        self.url = self.line.start(front)
        environment = {
            "NANOKA_PORT": str(front),
            "PUBLIC_URL": self.url,
            "CHAT_MODEL": "openai:standin",
            "OPENAI_BASE_URL": f"{self.model.address}/v1",
            "OPENAI_API_KEY": "none",
            "DATABASE_URL": "",
            "OIDC_ISSUER": "",
        }
        # A copy: the pages that are being looked at must not change when somebody builds them anew.
        built = node.build_pages(Programs(), Console(quiet=True))
        pages = shutil.copytree(built, self._folder / "pages")
        self.stack = Stack(environment, self._folder / "stack", pages=pages)
        self.stack.start()
        self.database = Database(DatabaseSettings.read({"DATABASE_URL": self.stack.database_url}), name="browser-tests")
        self.rows = Rows(self.database)
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()
        self.stack.stop()
        self.line.stop()
        self.model.__exit__(None, None, None)

    def answers(self, text: str = "", *, rate: float = 0, **more: object) -> None:
        """What the model does with every question from now on that holds no directive of its own."""
        self.model.behaviour = Behaviour(text=text, rate=rate, **more)  # type: ignore[arg-type]

    def visitor(self, name: str = "Hanako") -> Visitor:
        """Somebody new, signed in."""
        email = f"{name.lower()}@people.example"
        issuer = self.stack.settings.complete()["OIDC_ISSUER"]
        (user_id,) = self.rows(
            "INSERT INTO users (issuer, subject, email, name) VALUES (:issuer, :subject, :email, :name) RETURNING id",
            issuer=issuer,
            subject=str(uuid4()),
            email=email,
            name=name,
        )[0]
        token = self.database.transaction(lambda connection: sessions.create(connection, user_id))
        return Visitor(user_id, name, email, token)

    def exchange(self, visitor: Visitor, question: str, answer: str, *, title: str = "", age: float = 0) -> UUID:
        """A conversation of one question and its whole answer, `age` hours old, written past the functions."""
        conversation = self.rows.conversation(visitor, title or question[:40], age=age)  # type: ignore[arg-type]
        self.add(conversation, question, answer, age=age)
        return conversation

    def add(
        self, conversation: UUID, question: str, answer: str, *, parent: UUID | None = None, age: float = 0
    ) -> UUID:
        """One more question with its answer; returns the answer's id."""
        asked = self.rows.message(conversation, question, age=age, parent_id=parent)
        return self.rows.message(
            conversation, answer, role="assistant", age=age, parent_id=asked, status="complete", model="standin"
        )
