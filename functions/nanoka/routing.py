"""From a request to the handler of its route, with the checks that hold for every route.

functions-framework hands every path to the one function, so Flask's own routes never match; its URL map,
which is Werkzeug's, does.
"""

import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Request, Response, current_app, has_app_context
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wsgi import get_input_stream

from nanoka import logs
from nanoka.database import DatabaseUnavailableError
from nanoka.problems import Problem, unavailable
from nanoka.settings import LogSettings

Handler = Callable[..., Response]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
BODY_LIMIT = 64 * 1024
"""Bytes that a request may bring, unless its route says otherwise."""
READ_AWAY = 64 * 1024 * 1024
"""Bytes of a refused body that are read and dropped, so that whoever sends them hears why."""


class Router:
    """The routes of one function.

    `origin` is the one from which pages may send unsafe methods; None lets any through, for a function that
    no browser reaches.
    """

    def __init__(self, origin: str | None) -> None:
        logs.configure(LogSettings.read())
        self.origin = origin
        self.map = Map(merge_slashes=False)
        self.routes = self.map.bind("")
        self.handlers: dict[str, tuple[Handler, int]] = {}
        if has_app_context():  # functions-framework imports a function's module within its Flask application
            _speak_in_problems(current_app)

    def route(self, method: str, path: str, *, body_limit: int = BODY_LIMIT) -> Callable[[Handler], Handler]:
        """Serve `method path` by the decorated function; `<id>` in a path becomes its argument, as text."""

        def add(handler: Handler) -> Handler:
            endpoint = f"{method} {path}"
            # Werkzeug adds HEAD to GET by itself; we serve what the description names, and HEAD with it.
            self.map.add(Rule(path, endpoint=endpoint, methods=[method]))
            self.handlers[endpoint] = (handler, body_limit)
            return handler

        return add

    def __call__(self, request: Request) -> Response:
        """Answer a request; every failure becomes a problem, and the unexpected one is logged and told as 500."""
        with logs.request(request) as record:
            try:
                response = self._dispatch(request, record)
            except Problem as problem:
                response = problem.response()
            except DatabaseUnavailableError:
                logs.exception("database unavailable")
                response = unavailable().response()
            except Exception:  # noqa: BLE001 - the last resort of a server
                logs.exception("request failed")
                response = Problem(500, "Something went wrong on our side. Please try again.").response()
            response.headers.setdefault("Cache-Control", "no-store")
            record.answered(response)
            return response

    def _dispatch(self, request: Request, record: logs.RequestRecord) -> Response:
        try:
            rule, arguments = self.routes.match(request.path, request.method, return_rule=True)
        except MethodNotAllowed as error:
            raise _not_allowed(error) from None
        except HTTPException:
            raise Problem(404, "There is nothing at this address.") from None
        record.pattern = rule.rule.replace("<", "{").replace(">", "}")
        handler, limit = self.handlers[rule.endpoint]
        if request.method not in SAFE_METHODS:
            self._check_origin(request)
        _check_size(request, limit)
        return handler(request, **arguments)

    def _check_origin(self, request: Request) -> None:
        """Refuse what another site's page sends with the person's cookie (cross-site request forgery)."""
        if self.origin is not None and request.headers.get("Origin") != self.origin:
            raise Problem(403, "The request does not come from this site's own pages.")


def _check_size(request: Request, limit: int) -> None:
    """Refuse a body of more than `limit` bytes, whether anybody is going to read it or not."""
    request.max_content_length = limit + 1  # werkzeug silently cuts a body that does not tell its length off there
    size = request.content_length or 0
    if "Transfer-Encoding" in request.headers:
        size = len(_body(request))
    if size > limit:
        _read_away(request)
        request.stream = io.BytesIO()  # functions-framework reads the rest of every request, into memory
        raise Problem(413, f"The request is larger than {limit} bytes.")


def _read_away(request: Request) -> None:
    """Drop what is left of a body. A server that finds some unread closes the connection, and its client may lose
    this answer, or the next request that it sends on a connection which it was told is kept."""
    with suppress(BadRequest, OSError):
        body = get_input_stream(request.environ)
        left = READ_AWAY
        while left > 0 and (piece := body.read(min(left, BODY_LIMIT))):
            left -= len(piece)


def _body(request: Request) -> bytes:
    try:
        return request.get_data()
    except BadRequest:
        raise Problem(400, "The body did not arrive whole.") from None


def _not_allowed(error: MethodNotAllowed) -> Problem:
    allowed = ", ".join(sorted(error.valid_methods or ()))
    return Problem(405, f"This address answers to {allowed} only.", headers={"Allow": allowed})


def _speak_in_problems(app: Flask) -> None:
    """Make Flask tell what it refuses before we see it, such as a method that HTTP does not know, as we do."""

    def problem(error: HTTPException) -> Response:
        if isinstance(error, MethodNotAllowed):
            return _not_allowed(error).response()
        return Problem(error.code or 500, error.description or "The request could not be answered.").response()

    app.url_map.merge_slashes = False  # else it redirects to an address made from the request's own headers
    app.register_error_handler(HTTPException, problem)


def origin_of(url: str) -> str:
    """The origin of an address as a browser writes it (RFC 6454): lower case, without the default port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")


def json_object(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object.

    Raises:
        Problem: 415 for another media type, 413 for too large a body, 422 for what is no JSON object.
    """
    if request.mimetype != "application/json":
        raise Problem(415, "The body must be application/json.")
    try:
        body = json.loads(_body(request))
    except (ValueError, RecursionError):
        raise Problem(422, "The body is not valid JSON.", field="body") from None
    if not isinstance(body, dict):
        raise Problem(422, "The body must be a JSON object.", field="body")
    return body


def identifier(value: object, field: str) -> UUID:
    """An id that a client sent.

    Raises:
        Problem: 422 for what is no UUID in its canonical form (RFC 9562, section 4).
    """
    if not isinstance(value, str) or not CANONICAL_UUID.fullmatch(value):
        raise Problem(422, f"{field} must be a UUID, such as 01234567-89ab-4cde-8f01-23456789abcd.", field=field)
    return UUID(value)


def storable(text: str) -> bool:
    """Whether PostgreSQL can keep a text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer, UTF-8 as it is written."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, content_type="application/json")


def redirect(address: str) -> Response:
    """302 to an address, with nothing to read."""
    response = Response(status=302, headers={"Location": address})
    del response.headers["Content-Type"]
    return response


def no_content() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response
