"""What a person is told of any exception that a provider's client may raise."""

import asyncio
import ssl
from typing import Any

import pytest

from nanoka import failures
from nanoka.failures import AnswerError, classify


def raised(name: str, message: str = "", *, cause: BaseException | None = None, **attributes: Any) -> Exception:
    """An exception as a library of that name might raise it."""
    error: Exception = type(name, (Exception,), attributes)(message)
    error.__cause__ = cause
    return error


class Response:
    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (raised("RateLimitError", status_code=429), "rate_limited"),
        (raised("ChatGoogleGenerativeAIError", cause=raised("ClientError", code=429)), "rate_limited"),
        (raised("InternalServerError", status_code=500), "unavailable"),
        (raised("ServerError", code=503), "unavailable"),
        (raised("AuthenticationError", status_code=401), "credentials"),
        (raised("DefaultCredentialsError"), "credentials"),
        (raised("ClientResponseError", status=403), "credentials"),
        (raised("NotFoundError", status_code=404), "model_name"),
        (raised("BadRequestError", status_code=400), "refused"),
        (raised("BadRequestError", "code: content_filter", status_code=400), "safety"),
        (raised("BadRequestError", "exceeds the maximum number of tokens", status_code=400), "too_long"),
        (raised("Error", status_code=413), "too_long"),
        (raised("Error", status_code=418), "refused"),
        (raised("Error", status_code=200), "unknown"),
        (raised("APIConnectionError"), "unavailable"),
        (ConnectionRefusedError(), "unavailable"),
        (ssl.SSLError(), "unavailable"),
        (asyncio.IncompleteReadError(b"", 1), "unavailable"),
        (TimeoutError(), "unavailable"),
        (ValueError("what"), "unknown"),
    ],
)
def test_before_the_first_token(error: Exception, cause: str) -> None:
    assert classify(error, begun=False).cause == cause


def test_a_connection_that_breaks_midway_is_cut() -> None:
    assert classify(ConnectionResetError(), begun=True) is failures.CUT
    # aiohttp says so with a cause that claims to be an HTTP error 400
    error = raised("ClientPayloadError", cause=raised("TransferEncodingError", code=400))
    assert classify(error, begun=True) is failures.CUT


def test_our_own_errors_say_it_themselves() -> None:
    assert classify(AnswerError(failures.EMPTY), begun=False) is failures.EMPTY


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (Response(retry_after="7"), "in 7 seconds"),
        (Response(retry_after="0"), "in 1 seconds"),
        (Response(retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), "in a minute"),
        (Response(), "in a minute"),
        (None, "in a minute"),
    ],
)
def test_a_rate_limit_says_when_to_come_back(response: Response | None, words: str) -> None:
    assert words in classify(raised("RateLimitError", status_code=429, response=response), begun=False).text


def test_every_text_is_a_sentence_that_says_what_to_do() -> None:
    texts = [value.text for value in vars(failures).values() if isinstance(value, failures.Failure)]
    assert len(texts) > 10
    assert all(text.endswith(".") and text.count(". ") == 1 for text in texts if "Ask for" not in text)
