"""A person at the cluster's front door: signs in, asks and reads, over HTTPS, by the names that people use."""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from tests.cluster import node
from tests.cluster.standins import DOMAIN
from tests.functions.chat import Answer, read, regeneration, submission

ORIGIN = f"https://{DOMAIN}"


@dataclass(frozen=True)
class Door:
    """Where Nanoka is entered, and for a client of it and of its sign-in: whom the pods trust."""

    tls: ssl.SSLContext
    address: str = f"https://{node.ADDRESS}"


class Person:
    """One browser's worth of cookies. Names are not resolved: the domain is the front door's address."""

    def __init__(self, door: Door, seconds: float = 120) -> None:
        self.client = httpx.Client(
            base_url=door.address,
            headers={"Host": DOMAIN, "Origin": ORIGIN},
            verify=door.tls,
            timeout=seconds,
            limits=httpx.Limits(max_connections=None),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, path, extensions={"sni_hostname": DOMAIN}, **options)

    def sign_in(self) -> None:
        """The code flow, as a browser follows it. Raises httpx.HTTPStatusError."""
        there = self.request("GET", "/api/auth/login?next=/")
        back = self.client.get(there.headers["location"], headers={"Host": urlsplit(there.headers["location"]).netloc})
        callback = urlsplit(back.headers["location"])
        assert f"{callback.scheme}://{callback.netloc}" == ORIGIN
        done = self.request("GET", f"{callback.path}?{callback.query}")
        assert done.headers["location"] == "/", done.text
        self.request("GET", "/api/auth/me").raise_for_status()

    def ask(
        self, text: str, conversation: UUID | None = None, seen: Callable[[Answer], object] = lambda _: None
    ) -> Answer:
        """Ask, and read the answer; `seen` is called after each event, and ends the reading by returning True."""
        return self._stream("POST", "/api/messages", seen, json=submission(text, conversation or uuid4()))

    def again(self, conversation: UUID) -> Answer:
        """Retry the last question."""
        return self._stream("POST", "/api/messages", lambda _: None, json=regeneration(conversation))

    def resume(self, conversation: UUID, seen: Callable[[Answer], object] = lambda _: None) -> Answer:
        return self._stream("GET", f"/api/messages/{conversation}/stream", seen)

    def stop(self, conversation: UUID) -> int:
        return self.request("POST", f"/api/messages/{conversation}/stop").status_code

    def messages(self, conversation: UUID) -> list[dict[str, Any]]:
        """The conversation's messages as history has them."""
        found = self.request("GET", f"/api/conversations/{conversation}").raise_for_status().json()
        return list(found["messages"])

    def _stream(self, method: str, path: str, seen: Callable[[Answer], object], **options: Any) -> Answer:
        with self.client.stream(method, path, extensions={"sni_hostname": DOMAIN}, **options) as response:
            return whole(response, seen)


def whole(response: httpx.Response, seen: Callable[[Answer], object] = lambda _: None) -> Answer:
    """A stream read to its end, or a problem."""
    answer = Answer(response.status_code, dict(response.headers))
    if response.status_code != 200:
        response.read()
        with contextlib.suppress(ValueError):
            answer.problem = response.json()
        return answer
    for event in read(response.iter_raw()):
        answer.add(event)
        if seen(answer):
            break
    return answer


@contextlib.contextmanager
def signed_in(door: Door) -> Iterator[Person]:
    with Person(door) as person:
        person.sign_in()
        yield person
