"""The list of conversations with ten million messages in the table, against ten thousand."""

import http.client
import statistics
import tempfile
import time
from pathlib import Path
from uuid import UUID

from nanoka import sessions
from nanoka.database import Database
from nanoka.settings import DatabaseSettings
from tests.bench.messages import fill
from tests.bench.rows import Row, spread
from tests.bench.stand import Function
from tests.stack.postgres import Postgres

SMALL, BIG = 10_000, 10_000_000
REQUESTS = 300
Q = "%E8%A6%8B%E3%81%A4"
"""Two characters that no message holds, so that every one of a person's own is looked at."""


def rows() -> list[Row]:
    """The same person's list and search, from two processes by turns."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres(Path(folder, "postgres")) as postgres,
        postgres.database() as small,
        postgres.database() as big,
    ):
        for url, messages in ((small, SMALL), (big, BIG)):
            fill(url, messages, newest=0.1, span=6.7)
        with _function(small, folder) as few, _function(big, folder) as many:
            few_client, many_client = Client(few.wait(), small), Client(many.wait(), big)
            lists: tuple[list[float], list[float]] = ([], [])
            searches: tuple[list[float], list[float]] = ([], [])
            for number in range(-20, REQUESTS):
                for client, times in zip((few_client, many_client), lists, strict=True):
                    took = client.get("/api/conversations")
                    if number >= 0:
                        times.append(took)
            for _ in range(REQUESTS // 10):
                for client, times in zip((few_client, many_client), searches, strict=True):
                    times.append(client.get(f"/api/conversations?q={Q}"))
    p50, reference = statistics.median(lists[1]), statistics.median(lists[0])
    found, found_reference = statistics.median(searches[1]), statistics.median(searches[0])
    return [
        Row(
            "list-history p50 with 10 M messages in the table, against 10 k",
            spread([value * 1000 for value in lists[1]], "ms") + f"; with 10 k {reference * 1000:.3g} ms",
            "≤ 5 ms, ≤ 1.2 ×",
            p50 <= 0.005 and p50 <= 1.2 * reference,
            p50 / reference,
        ),
        Row(
            "search of a person's 10 k messages without a match, with 10 M in the table",
            spread([value * 1000 for value in searches[1]], "ms") + f"; with 10 k {found_reference * 1000:.3g} ms",
            ratio=found / found_reference,
        ),
    ]


def _function(url: str, folder: str) -> Function:
    return Function("list_history", {"DATABASE_URL": url, "PUBLIC_URL": "http://localhost"}, Path(folder))


class Client:
    """A person with a hundred conversations at one function, over one connection."""

    def __init__(self, function: Function, url: str) -> None:
        database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="bench")
        ((user_id,),) = database.run("SELECT md5('user0')::uuid")
        token = database.transaction(lambda connection: sessions.create(connection, UUID(str(user_id))))
        database.close()
        self._cookie = f"{sessions.COOKIE}={token}"
        self._connection = http.client.HTTPConnection("127.0.0.1", function.port)

    def get(self, path: str) -> float:
        """Seconds that an answer takes."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        response = self._connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
        return time.perf_counter() - started
