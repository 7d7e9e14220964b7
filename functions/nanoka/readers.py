"""An answer as a stream to one client: live from this process, or followed in the database while another writes it."""

import time
from collections.abc import Iterator, Mapping
from socket import MSG_DONTWAIT, MSG_PEEK, socket
from threading import Event
from typing import Any

from nanoka import answers, stream
from nanoka.answers import Key
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.gate import Gate
from nanoka.liveness import INTERRUPTED
from nanoka.running import GONE, Answer, Title

HEARTBEAT = 10.0
"""Seconds of silence after which a comment is sent; proxies and clients are promised one every 15."""
LOOK = 2.0
"""Seconds of silence after which it is looked whether the client is still there."""
POLL = 0.3
"""Seconds between two looks at an answer that another process writes."""
PATIENCE = 60.0
"""Seconds for which a database that is away is waited for."""

_UNREACHABLE = "The answer cannot be followed at the moment. Please reload the page in a while."


class Client:
    """The connection of a request, as far as the server tells it (gunicorn does)."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._socket: socket | None = environ.get("gunicorn.socket")

    def gone(self) -> bool:
        """Whether the client has closed its end; a write would show it, but not before there is something to write."""
        if self._socket is None:
            return False
        try:
            return self._socket.recv(1, MSG_PEEK | MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class _Frames:
    """One answer's frames, in the protocol's order, and its silences."""

    def __init__(self, key: Key, client: Client) -> None:
        self.key = key
        self.client = client
        self.open = False
        self.spoke = time.monotonic()

    def text(self, text: str) -> bytes:
        """A piece of text, and the beginning of the text before the first."""
        opening = b"" if self.open else stream.text_start()
        self.open = True
        return opening + stream.delta(text)

    def end(self, status: str, error: str | None, reason: str) -> bytes:
        closing = stream.text_end() if self.open else b""
        if status in ("failed", "interrupted"):
            return closing + stream.error(error or INTERRUPTED)
        metadata = {
            "status": status,
            "model": self.key.model,
            "created_at": self.key.created_at,
            "expires_at": self.key.expires_at,
        }
        return closing + stream.finish(reason, metadata)

    def silence(self) -> bytes | None:
        """What to send when there is nothing to say: a comment at times, None if nobody listens any more."""
        if self.client.gone():
            return None
        return stream.KEEP_ALIVE if time.monotonic() - self.spoke >= HEARTBEAT else b""


def live(answer: Answer, client: Client) -> Iterator[bytes]:
    """An answer of this process: everything from its start, then what comes, as it comes."""
    frames = _Frames(answer.key, client)
    subscription = answer.subscribe()
    try:
        yield stream.start(str(answer.key.id))
        while True:
            sent, over = b"", False
            for piece in subscription.pieces(LOOK):
                if isinstance(piece, str):
                    sent += stream.title(piece) if isinstance(piece, Title) else frames.text(piece)
                else:
                    over = True
            if over:
                yield sent + frames.end(answer.status, answer.error, answer.reason)
                return
            if not sent:
                silence = frames.silence()
                if silence is None:
                    return
                sent = silence
            if sent:
                frames.spoke = time.monotonic()
                yield sent
    finally:
        subscription.close()


def follow(database: Database, key: Key, client: Client, following: Gate, closed: Event) -> Iterator[bytes]:
    """An answer of another process, or one that has ended: what is stored, then what is added to it.

    Args:
        following: held meanwhile, so that this process lets the answer come to its end.
        closed: set when this process can wait no longer.
    """
    frames = _Frames(key, client)
    with following.enter():
        yield stream.start(str(key.id))
        for sent in _stored(database, frames, closed):
            if sent:
                frames.spoke = time.monotonic()
                yield sent
            elif (silence := frames.silence()) is None:
                return
            elif silence:
                frames.spoke = time.monotonic()
                yield silence


def _stored(database: Database, frames: _Frames, closed: Event) -> Iterator[bytes]:
    """What each look at an answer's row brings, often nothing; ends with the answer."""
    offset, title, heard = 0, "", time.monotonic()
    while not closed.is_set():
        sent = b""
        try:
            state = answers.read(database, frames.key, offset)
        except DatabaseUnavailableError:
            if time.monotonic() - heard > PATIENCE:
                break
        else:
            heard = time.monotonic()
            if state is None:
                yield frames.end("failed", GONE, "")
                return
            if state.title != title:
                title = state.title
                sent = stream.title(title)
            if state.text:
                offset += len(state.text)
                sent += frames.text(state.text)
            if state.status != "streaming":
                yield sent + frames.end(state.status, state.error, "stop")
                return
        yield sent
        closed.wait(POLL)
    yield frames.end("failed", _UNREACHABLE, "")
