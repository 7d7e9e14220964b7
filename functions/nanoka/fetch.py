"""JSON from another service over HTTP(S), with a limit on the whole of the exchange.

The standard library's client: gunicorn has loaded it anyway, any other costs a cold start 20 to 120 ms. A limit on
each read, which is all that clients offer, lets a service that sends a byte now and then hold us for ever.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

LARGEST = 1 << 20
"""Bytes of an answer that are read at most."""


class FetchError(Exception):
    """No usable answer: none in time, none at all (`status` is None), or not a JSON object with status 200."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


def fetch(
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = 10.0,
) -> dict[str, Any]:
    """The JSON object at `url`, by GET, or by POST of a `form`. Follows no redirect.

    Args:
        seconds: what name resolution, connection, request and answer may take together.

    Raises:
        FetchError: its text names the host and the fault, nothing that was sent or received.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    answers: SimpleQueue[tuple[int, bytes] | Exception] = SimpleQueue()

    def exchange() -> None:
        try:
            answers.put(_exchange(connection, parts.path + (f"?{parts.query}" if parts.query else ""), form, headers))
        except (OSError, HTTPException, ValueError) as error:
            answers.put(error)
        finally:
            connection.close()

    Thread(target=exchange, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        with suppress(OSError, AttributeError):  # it may be closed by now, or not be there yet
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise FetchError(f"{parts.hostname} did not answer within {seconds:g} s") from None
    if isinstance(answer, Exception):
        raise FetchError(f"{parts.hostname} cannot be reached: {type(answer).__name__}") from answer
    return _json_object(parts.hostname, *answer)


def _exchange(
    connection: HTTPConnection, target: str, form: Mapping[str, str] | None, headers: Mapping[str, str] | None
) -> tuple[int, bytes]:
    sent = {"Accept": "application/json", "Connection": "close", **(headers or {})}
    if form is None:
        connection.request("GET", target or "/", headers=sent)
    else:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", target or "/", urlencode(form), sent)
    response = connection.getresponse()
    return response.status, response.read(LARGEST + 1)


def _json_object(host: str | None, status: int, body: bytes) -> dict[str, Any]:
    if status != 200:
        raise FetchError(f"{host} answered {status}", status)
    if len(body) > LARGEST:
        raise FetchError(f"{host} answered more than {LARGEST} bytes", status)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FetchError(f"{host} answered something else than a JSON object", status)
    return value
