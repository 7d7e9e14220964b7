"""Why a model did not answer, in one sentence that a person can act on.

Providers' clients raise what they like; what they agree on is the HTTP status, an attribute of the exception or of
one that caused it, and the names of the errors of the libraries below them. Going by these needs no import of any.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """`cause` is for logs, `text` for people; `transient` if asking again at once may help."""

    cause: str
    text: str
    transient: bool = False
    retry_after: float | None = None


class AnswerError(Exception):
    """An answer that cannot go on, with the reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


UNAVAILABLE = Failure("unavailable", "The model cannot be reached at the moment. Please try again in a minute.", True)
TOO_SLOW = Failure("first_token", "The model did not begin to answer in time. Please try again.")
STALLED = Failure("stall", "The model stopped in the middle of its answer. Please try again.")
DEADLINE = Failure("deadline", "The answer took too long and was ended. Ask for less at a time, or try again.")
CUT = Failure("cut", "The connection to the model broke in the middle of its answer. Please try again.")
BLOCKED = Failure("safety", "The model's safety filter stopped this answer. Please put your question in other words.")
EMPTY = Failure("empty", "The model gave an empty answer. Please try again, or put your question in other words.")
CREDENTIALS = Failure(
    "credentials", "The model refuses our credentials. Please tell the operator to check the model's settings."
)
MISNAMED = Failure("model_name", "The model was not found. Please tell the operator to check CHAT_MODEL.")
TOO_LONG = Failure("too_long", "The question is too long for this model. Please shorten it, or begin a new chat.")
REFUSED = Failure("refused", "The model did not accept the question. Please put it in other words.")
UNKNOWN = Failure("unknown", "The model failed in a way that we do not know. Please try again.")

_STATUS = {400: REFUSED, 401: CREDENTIALS, 403: CREDENTIALS, 404: MISNAMED, 408: UNAVAILABLE, 413: TOO_LONG}
_NETWORK = ("Connect", "Disconnect", "Transport", "Protocol", "Timeout", "Payload", "OSError", "IncompleteRead")
_CREDENTIALS = ("DefaultCredentialsError", "RefreshError", "AuthenticationError")


def rate_limited(retry_after: float | None) -> Failure:
    wait = "in a minute" if retry_after is None else f"in {max(1, round(retry_after))} seconds"
    return Failure(
        "rate_limited", f"The model is answering too many people right now. Please try again {wait}.", True, retry_after
    )


def classify(error: BaseException, *, begun: bool) -> Failure:
    """The failure behind an exception of any provider's client; `begun` if the answer has text already."""
    if isinstance(error, AnswerError):
        return error.failure
    for link in _causes(error):
        names = [base.__name__ for base in type(link).__mro__]
        if any(name in _CREDENTIALS for name in names):
            return CREDENTIALS
        if (status := _status(link)) is not None:
            return _of_status(status, link)
        # After the status, as some clients' HTTP errors are kinds of their network errors.
        if any(part in name for name in names for part in _NETWORK):
            return CUT if begun else UNAVAILABLE
    return UNKNOWN


def _of_status(status: int, error: BaseException) -> Failure:
    if status == 429:
        return rate_limited(_retry_after(error))
    words = str(error).lower()
    if status == 400 and ("content_filter" in words or "content management policy" in words):
        return BLOCKED
    if status == 400 and "token" in words and ("exceed" in words or "maximum" in words):
        return TOO_LONG
    return UNAVAILABLE if status >= 500 else _STATUS.get(status, REFUSED)


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _status(error: BaseException) -> int | None:
    """The HTTP status that an exception carries: OpenAI's and httpx's name for it, Google's, aiohttp's."""
    for name in ("status_code", "code", "status"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 400 <= value <= 599:
            return int(value)
    return None


def _retry_after(error: BaseException) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3) on the response that an exception carries."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    value = headers.get("retry-after") if headers is not None else None
    return float(value) if isinstance(value, str) and value.strip().isdigit() else None
