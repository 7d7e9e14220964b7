"""Structured logs on standard output, as Cloud Logging reads them, which say who did what but never what was said.

Google's StructuredLogHandler writes them; importing it costs more than a whole cold start. So lines wait in memory
until a thread has imported it, a second after the first of them, and whatever still waits at the exit is written
then.

No line holds message texts, titles, searched words, e-mail addresses, cookies, codes or tokens. Whoever logs
passes an event in words of the program's own and fields of identifiers and numbers; anything else is withheld
(see `plain`). Of an exception its type and the places it went through are told, never its text; of what libraries
log, only which library and where.
"""

import atexit
import logging
import math
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

from flask import Request, Response
from werkzeug.datastructures import Headers

from nanoka import lifecycle
from nanoka.settings import LogSettings

Fields = dict[str, Any]

NAME = "nanoka"
PATIENCE = 1.0
"""Seconds from the first line until the handler is imported: a cold start's first answers are on their way then."""
DEEPEST = 20
"""Places of an exception that are told, the innermost ones."""

IDENTIFIER = re.compile(r"[\w.:/+-]{1,100}", re.ASCII)
REQUEST_ID = re.compile(r"[\w-]{8,64}", re.ASCII)
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
CLOUD_TRACE = re.compile(r"([0-9a-f]{32})(?:/([0-9]{1,20}))?(?:;o=([01]))?")

_bound: ContextVar[Fields | None] = ContextVar("bound", default=None)
_settings = LogSettings(logging.INFO, function="", project="")


class Outlet(logging.Handler):
    """Passes records on to Google's handler as soon as it is there, and keeps them until then."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[logging.LogRecord] = []
        self._target: logging.Handler | None = None
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the handler's lock, as all of logging's handlers are."""
        if record.name != NAME:
            if record.levelno < logging.WARNING:
                return
            record = _of_library(record)
        if self._target is not None:
            self._target.handle(record)
            return
        self._waiting.append(record)
        if self._timer is None:
            self._timer = threading.Timer(PATIENCE, self.open)
            self._timer.daemon = True
            self._timer.start()

    def open(self) -> None:
        """Import Google's handler, write what has waited, and from now on everything at once."""
        with lifecycle.importing:
            from google.cloud.logging_v2.handlers import StructuredLogHandler  # noqa: PLC0415 - 260 ms

            target: logging.Handler = StructuredLogHandler(stream=_Stdout())  # type: ignore[no-untyped-call]
        self.acquire()
        try:
            if self._target is None:
                for record in self._waiting:
                    target.handle(record)
                self._waiting.clear()
                self._target = target
        finally:
            self.release()

    def flush(self) -> None:
        """Write what waits, at the process's exit at the latest. Without lines Google's handler is not needed."""
        if self._waiting:
            self.open()


class _Stdout:
    """Standard output as it is whenever a line is written: functions-framework exchanges it, and so do tests."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


_logger = logging.getLogger(NAME)
_logger.propagate = False
_logger.setLevel(_settings.level)
_outlet = Outlet()
_logger.addHandler(_outlet)


def configure(settings: LogSettings) -> None:
    """Log from this level on, in this function's name."""
    global _settings  # noqa: PLW0603 - a process is one function
    _settings = settings
    _logger.setLevel(settings.level)


def flush() -> None:
    """Write now what waits."""
    _outlet.flush()


def take_over() -> None:
    """Make everything in this process log through here: libraries, gunicorn, and threads that fail.

    In gunicorn's worker only: its master and its own start-up speak for themselves.
    """
    _renew(Outlet())
    logging.getLogger().handlers = [_outlet]
    logging.getLogger("gunicorn.error").handlers = [_outlet]  # else it writes addresses with their queries
    threading.excepthook = lambda failed: _failed("a thread failed", failed.exc_value)
    sys.unraisablehook = lambda failed: _failed("an exception could not be raised", failed.exc_value)


def _renew(outlet: Outlet) -> None:
    """Take another outlet: the master's timer does not live on in its fork."""
    global _outlet  # noqa: PLW0603
    _outlet = outlet
    _logger.handlers = [outlet]


lifecycle.after_fork(take_over)
atexit.register(flush)


class RequestRecord:
    """What is known of the request being served. `pattern` is its route's path, with names in place of ids."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.pattern = "(unknown)"
        self.started = time.monotonic()

    def answered(self, response: Response) -> None:
        """Log status and latency, of a stream when it has ended or its reader has left."""
        if response.is_streamed:
            bound = current()

            def ended() -> None:
                with within(bound):
                    self._log(response.status_code)

            response.call_on_close(ended)
        else:
            self._log(response.status_code)

    def _log(self, status: int) -> None:
        latency = f"{time.monotonic() - self.started:.6f}s"
        write(
            logging.ERROR if status >= 500 else logging.INFO,
            "request",
            http_request={
                "requestMethod": self.method if IDENTIFIER.fullmatch(self.method) else "(unknown)",
                "requestUrl": self.pattern,
                "status": status,
                "latency": latency,
            },
        )


@contextmanager
def request(request: Request) -> Iterator[RequestRecord]:
    """The context of one request: what is logged within carries its ids."""
    request_id = request.headers.get("X-Request-Id", "")
    if not REQUEST_ID.fullmatch(request_id):
        request_id = uuid4().hex
    with within({"request_id": request_id, **_trace(request.headers)}):
        yield RequestRecord(request)


@contextmanager
def within(bound: Fields | None) -> Iterator[None]:
    """The context of a request once more, from `current()`, for what goes on in another thread or task."""
    token = _bound.set(bound)
    try:
        yield
    finally:
        _bound.reset(token)


def current() -> Fields | None:
    """What the current request has bound, to be given to `within` elsewhere."""
    return _bound.get()


def bind(**fields: Any) -> None:
    """Add fields to everything that the current request logs from now on."""
    bound = _bound.get()
    if bound is not None:
        bound.update(fields)


def write(severity: int, event: str, *, http_request: Mapping[str, Any] | None = None, **fields: Any) -> None:
    """Log an event, named by words of the program's own, with fields of identifiers and numbers."""
    if not _logger.isEnabledFor(severity):
        return
    bound = dict(_bound.get() or {})
    extra = {
        "trace": bound.pop("trace", ""),
        "span_id": bound.pop("span_id", ""),
        "trace_sampled": bound.pop("trace_sampled", False),
        "http_request": http_request or {},
        "json_fields": {"function": _settings.function} | plain(bound | fields),
    }
    _logger.log(severity, event, extra=extra, stacklevel=3)


def info(event: str, **fields: Any) -> None:
    write(logging.INFO, event, **fields)


def warning(event: str, **fields: Any) -> None:
    write(logging.WARNING, event, **fields)


def exception(event: str, **fields: Any) -> None:
    """Log the exception now being handled: its type and where it happened, never its text."""
    write(logging.ERROR, event, **_describe(sys.exc_info()[1]), **fields)


def plain(value: Any) -> Any:
    """`value` if it can hold nothing that anybody said: numbers, ids, single words without spaces, and these in
    lists and mappings. Anything else is withheld."""
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, UUID):
        return str(value)
    harmless = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if harmless or (isinstance(value, str) and IDENTIFIER.fullmatch(value)) else "(withheld)"


def _failed(event: str, error: BaseException | None) -> None:
    write(logging.ERROR, event, **_describe(error))


def _describe(error: BaseException | None) -> Fields:
    """An exception without its text, but with PostgreSQL's five characters, which say what is wrong with a query."""
    if error is None:
        return {}
    fields: Fields = {"error": _name(error), "stack": _places(error.__traceback__)}
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < DEEPEST:
        causes.append(_name(cause))
        cause = cause.__cause__ or cause.__context__
    if causes:
        fields["causes"] = causes
    detail = error.args[0] if error.args else None
    if isinstance(detail, dict) and "C" in detail:  # as pg8000 raises it
        fields["sqlstate"] = detail["C"]
    return fields


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _places(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        places.append(f"{traceback.tb_frame.f_globals.get('__name__', '')}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places[-DEEPEST:]


def _of_library(record: logging.LogRecord) -> logging.LogRecord:
    """What may be told of a library's own record: it may quote anything, so where it comes from is all."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    safe = logging.LogRecord(
        record.name, record.levelno, record.pathname, record.lineno, "a library reports", None, None, record.funcName
    )
    safe.__dict__ |= {
        "trace": "",
        "span_id": "",
        "trace_sampled": False,
        "http_request": {},
        "json_fields": {"function": _settings.function, "logger": record.name} | plain(_describe(error)),
    }
    return safe


def _trace(headers: Headers) -> Fields:
    """Where the request belongs: W3C Trace Context's `traceparent`, or Google Cloud's older header."""
    if match := TRACEPARENT.fullmatch(headers.get("traceparent", "").strip()):
        trace, span, sampled = match[1], match[2], bool(int(match[3], 16) & 1)
    elif match := CLOUD_TRACE.fullmatch(headers.get("X-Cloud-Trace-Context", "").strip()):
        trace, sampled = match[1], match[3] == "1"
        span = f"{int(match[2]):016x}"[-16:] if match[2] else ""  # decimal there, hexadecimal everywhere else
    else:
        return {}
    project = f"projects/{_settings.project}/traces/" if _settings.project else ""
    return {"trace": project + trace, "span_id": span, "trace_sampled": sampled}
