"""Saves the answers that a process writes: all of them with one statement, and tells who was asked to stop.

A thread of its own, since pg8000 blocks. While the database is away it goes on trying, and answers go on growing.
"""

import threading
import time
from collections.abc import Callable

from nanoka import answers, logs
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.running import Answer

INTERVAL = 0.5
"""Seconds between two saves: how much of an answer a crash may cost, and how soon a stop from elsewhere is heard."""


class Saver:
    """Saves every `INTERVAL`, and at once what has ended.

    Args:
        stop: called with an answer that somebody asked to stop, or that has lost its row.
        done: called with an answer that is saved for the last time.
    """

    def __init__(self, database: Database, *, stop: Callable[[Answer], None], done: Callable[[Answer], None]) -> None:
        self._database = database
        self._stop = stop
        self._done = done
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._answers: dict[str, Answer] = {}
        self._ended: set[str] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, answer: Answer) -> None:
        """Save an answer from now on until it has ended."""
        with self._lock:
            self._answers[str(answer.key.id)] = answer
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def ended(self, answer: Answer) -> None:
        """Save an answer's last state at once, then let its readers go."""
        with self._lock:
            if str(answer.key.id) in self._answers:  # else a save that was just under way has seen its end
                self._ended.add(str(answer.key.id))
                self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until every answer has ended and is saved; whether that came in time."""
        with self._lock:
            return self._changed.wait_for(lambda: not self._answers, seconds)

    def close(self) -> None:
        """Give up what is not saved by now, and end the thread."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        due = time.monotonic() + INTERVAL
        while True:
            with self._lock:
                while not self._closed and not self._ended and (not self._answers or time.monotonic() < due):
                    self._changed.wait(max(0.0, due - time.monotonic()) if self._answers else None)
                if self._closed:
                    break
                everything = time.monotonic() >= due
                batch = [self._answers[id_] for id_ in (self._answers if everything else self._ended)]
            if everything:
                due = time.monotonic() + INTERVAL
            try:
                self._save(batch)
            except DatabaseUnavailableError:
                logs.warning("answers.not_saved", count=len(batch))
                time.sleep(INTERVAL)  # a database that refuses us says so at once
            except Exception:  # noqa: BLE001 - without its saver the process would lose every answer
                logs.exception("answers.not_saved", count=len(batch))
                time.sleep(INTERVAL)

        for answer in self._answers.values():
            answer.lose()
            answer.end()

    def _save(self, batch: list[Answer]) -> None:
        # An answer may end while it is saved: only a state that was final before the save is saved as final.
        rows = [(answer, *answer.unsaved()) for answer in batch]
        stops = answers.save(self._database, (row for _, _, row in rows))
        for answer, mark, row in rows:
            id_ = str(answer.key.id)
            answer.saved(mark, len(row["tail"]))
            if row["status"] != "streaming":
                if id_ not in stops:
                    answer.lose()
                answer.end()
                self._done(answer)
                with self._lock:
                    del self._answers[id_]
                    self._ended.discard(id_)
                    self._changed.notify_all()
            elif stops.get(id_, True):
                self._stop(answer)
