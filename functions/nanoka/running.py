"""An answer while this process writes it: its text so far, and everyone here who reads it live."""

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from nanoka.answers import Key


class Title(str):
    """A new title of the conversation, among pieces of text."""

    __slots__ = ()


class End:
    """The end of an answer's pieces: how it ended is in the answer by then."""


END = End()
GONE = "This answer can no longer be saved: its conversation was deleted, or was out of reach for too long."
Piece = str | End


class Answer:
    """Written by the event loop's thread alone, read by any. `title` is None if the conversation has its own already.

    `status`, `error` and `reason` are final once `END` is among the pieces; the database knows them by then.
    """

    def __init__(self, key: Key, title: str | None, started: float) -> None:
        self.key = key
        self.title = title
        self.status = "streaming"
        self.error: str | None = None
        self.reason = "stop"
        self.started = started
        self.first_token: float | None = None
        self.last_token = started
        self._parts: list[str] = []
        self._sent = 0
        self._saved = 0
        self._saved_characters = 0
        self._readers: list[SimpleQueue[Piece]] = []
        self._over = False
        self._lock = threading.Lock()

    @property
    def empty(self) -> bool:
        return not self._parts

    def append(self, text: str) -> None:
        """Add a piece; readers get it with the next `flush`."""
        self._parts.append(text)
        self.last_token = time.monotonic()
        if self.first_token is None:
            self.first_token = self.last_token

    def flush(self) -> None:
        """Give readers what is new, as one piece."""
        with self._lock:
            if self._sent < len(self._parts):
                delta = "".join(self._parts[self._sent :])
                self._sent = len(self._parts)
                self._tell(delta)

    def rename(self, title: str) -> None:
        with self._lock:
            self.title = title
            self._tell(Title(title))

    def conclude(self, status: str, error: str | None, reason: str) -> None:
        """Say how the answer ended; `reason` is the protocol's finishReason."""
        # The status last: the saver, in its own thread, takes it for the sign that the rest is final.
        self.error, self.reason = error, reason
        self.status = status

    def lose(self) -> None:
        """The answer's row is gone, or somebody else has declared it dead: nobody will find it in history."""
        self.status, self.error = "interrupted", GONE

    def end(self) -> None:
        """Let readers go: the answer is over, and saved as such."""
        self.flush()
        with self._lock:
            self._over = True
            self._tell(END)

    def _tell(self, piece: Piece) -> None:
        for reader in self._readers:
            reader.put(piece)

    def subscribe(self) -> "Subscription":
        """Everything from the start, then live."""
        queue: SimpleQueue[Piece] = SimpleQueue()
        with self._lock:
            if self.title is not None:
                queue.put(Title(self.title))
            if self._sent:
                queue.put("".join(self._parts[: self._sent]))
            if self._over:
                queue.put(END)
            self._readers.append(queue)
        return Subscription(self, queue)

    def unsubscribe(self, queue: "SimpleQueue[Piece]") -> None:
        with self._lock:
            self._readers.remove(queue)

    def unsaved(self) -> tuple[int, dict[str, Any]]:
        """What the next save has to write, and the mark to pass to `saved` once it is."""
        status = self.status  # first: if it is final, so is the text
        mark = len(self._parts)
        return mark, {
            "conversation_id": str(self.key.conversation_id),
            "created_at": self.key.created_at,
            "id": str(self.key.id),
            "kept": self._saved_characters,
            "tail": "".join(self._parts[self._saved : mark]),
            "status": status,
            "error": self.error,
        }

    def saved(self, mark: int, characters: int) -> None:
        self._saved = mark
        self._saved_characters += characters


class Subscription:
    """One reader's place in an answer."""

    def __init__(self, answer: Answer, queue: "SimpleQueue[Piece]") -> None:
        self.answer = answer
        self._queue = queue

    def pieces(self, seconds: float) -> Iterator[Piece]:
        """What is there after waiting `seconds` for it at most: nothing, or everything up to now."""
        try:
            yield self._queue.get(timeout=seconds)
            while True:
                yield self._queue.get_nowait()
        except Empty:
            return

    def close(self) -> None:
        self.answer.unsubscribe(self._queue)
