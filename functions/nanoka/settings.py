"""Settings from environment variables, one frozen class for each concern.

A function reads, at its start, just the classes that it needs; whatever is missing or malformed is then named
in one SettingsError, so that a wrong deployment ends at once with a sentence instead of at the first request.
Plain dataclasses: a validation library would cost more at a cold start than the whole function.
"""

import ipaddress
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

GOOGLE_ISSUER = "https://accounts.google.com"
GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v1/certs"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SYSTEM_PROMPT = (
    "You are Nanoka, a helpful assistant. Answer in the language of the question, "
    "truthfully and to the point; format with Markdown where it helps."
)


class SettingsError(ValueError):
    """Environment variables that are missing or malformed, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class _Reader:
    """Reads variables and collects every fault, so that all of them are told at once."""

    def __init__(self, environ: Mapping[str, str] | None) -> None:
        self.environ = os.environ if environ is None else environ
        self.faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environ.get(name, "").strip()
        if value:
            return value
        if default is None:
            self.faults.append(f"{name} is not set")
            return ""
        return default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and low <= int(value) <= high:
            return int(value)
        self.faults.append(f"{name} must be a whole number from {low} to {high}, not {value!r}")
        return default

    def url(self, name: str, default: str | None = None) -> str:
        """An http(s) address without a trailing slash."""
        value = self.text(name, default)
        if not value:
            return value
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.query or parts.fragment:
            self.faults.append(f"{name} must be an http or https address, not {value!r}")
        return value.rstrip("/")

    def names(self, name: str) -> tuple[str, ...]:
        """Database users, comma separated; none if it is not set."""
        values = tuple(part.strip() for part in self.text(name, "").split(",") if part.strip())
        if bad := [value for value in values if len(value.encode()) > 63 or not value.isprintable()]:
            self.faults.append(f"{name} must be names of database users, at most 63 bytes each, not {', '.join(bad)}")
        return values

    def done(self) -> None:
        if self.faults:
            raise SettingsError(self.faults)


def is_loopback(host: str | None) -> bool:
    """Whether a host is localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _is_database_url(url: str) -> bool:
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return False
    return parts.scheme in ("postgresql", "postgres") and port != 0


@dataclass(frozen=True)
class WebSettings:
    """Where people meet us. `public_url` is an origin, without a path."""

    public_url: str

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        url = reader.url("PUBLIC_URL")
        if not reader.faults and urlsplit(url).path:
            reader.faults.append(f"PUBLIC_URL must be an origin without a path, not {url!r}")
        reader.done()
        return cls(url)


@dataclass(frozen=True)
class DatabaseSettings:
    """Either a database URL, or a Cloud SQL instance (`project:region:instance`) with IAM login.

    `ip_type` is which of the instance's addresses to use, `endpoint` the Admin API's address if it is not Google's.
    """

    url: str
    instance: str
    user: str
    name: str
    pool_size: int
    ip_type: str = "private"
    endpoint: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        instance = reader.text("INSTANCE_CONNECTION_NAME", "")
        url = reader.text("DATABASE_URL", "")
        user = name = ""
        if instance:
            if instance.count(":") < 2:
                reader.faults.append(f"INSTANCE_CONNECTION_NAME must be project:region:instance, not {instance!r}")
            user, name = reader.text("DB_USER"), reader.text("DB_NAME")
        elif not url:
            reader.faults.append("neither DATABASE_URL nor INSTANCE_CONNECTION_NAME is set")
        elif not _is_database_url(url):  # not told as it is: it holds a password
            reader.faults.append("DATABASE_URL must be postgresql://user:password@host:port/name")
        pool = reader.number("DATABASE_POOL_SIZE", 5, 1, 100)
        ip_type = reader.text("CLOUD_SQL_IP_TYPE", "private").lower()
        if ip_type not in ("private", "public", "psc"):
            reader.faults.append(f"CLOUD_SQL_IP_TYPE must be private, public or psc, not {ip_type!r}")
        endpoint = reader.url("CLOUD_SQL_ENDPOINT", "")
        reader.done()
        return cls(url, instance, user, name, pool, ip_type, endpoint)


@dataclass(frozen=True)
class MigrateSettings:
    """Database users who are made members of the functions' roles; with Cloud SQL's IAM login, service accounts."""

    app_users: tuple[str, ...]
    purge_users: tuple[str, ...]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        app, purge = reader.names("DB_APP_USERS"), reader.names("DB_PURGE_USERS")
        reader.done()
        return cls(app, purge)


@dataclass(frozen=True)
class SignInSettings:
    """The OpenID provider, and us as its client."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        # Kept as given, but for spaces: an issuer is compared character by character (OpenID Connect Core 3.1.3.7).
        issuer = reader.text("OIDC_ISSUER", GOOGLE_ISSUER)
        reader.url("OIDC_ISSUER", GOOGLE_ISSUER)
        if not reader.faults and urlsplit(issuer).scheme == "http" and not is_loopback(urlsplit(issuer).hostname):
            reader.faults.append(f"OIDC_ISSUER may be http only on localhost, not {issuer!r}")
        client_id, secret = reader.text("OIDC_CLIENT_ID"), reader.text("OIDC_CLIENT_SECRET")
        reader.done()
        return cls(issuer, client_id, secret)


@dataclass(frozen=True)
class ChatSettings:
    """The chat model as `provider:model`, and what it is told. `context_tokens` bounds its input."""

    model: str
    system_prompt: str
    context_tokens: int
    deadline_seconds: int
    grace_seconds: int

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        model = reader.text("CHAT_MODEL")
        provider, colon, name = model.partition(":")
        if model and not (provider and colon and name):
            reader.faults.append(f"CHAT_MODEL must be provider:model, not {model!r}")
        prompt = reader.text("CHAT_SYSTEM_PROMPT", SYSTEM_PROMPT)
        tokens = reader.number("CHAT_CONTEXT_TOKENS", 32_768, 1, 10_000_000)
        deadline = reader.number("CHAT_DEADLINE_SECONDS", 540, 5, 590)
        grace = reader.number("GRACE_SECONDS", 570, 1, 3600)
        reader.done()
        return cls(model, prompt, tokens, deadline, grace)


@dataclass(frozen=True)
class PurgeSettings:
    """Who may trigger purge: callers by e-mail address, with tokens for our audience."""

    audience: str
    callers: frozenset[str]
    certs_url: str

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        audience = reader.text("PURGE_AUDIENCE")
        callers = frozenset(part.strip() for part in reader.text("PURGE_CALLERS").split(",") if part.strip())
        if bad := sorted(caller for caller in callers if "@" not in caller):
            reader.faults.append(f"PURGE_CALLERS must be e-mail addresses, not {', '.join(bad)}")
        certs = reader.url("PURGE_CERTS_URL", GOOGLE_CERTS)
        reader.done()
        return cls(audience, callers, certs)


@dataclass(frozen=True)
class LogSettings:
    """From which of `logging`'s levels on to log, and what the lines say of where they come from."""

    level: int
    function: str
    project: str

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        name = reader.text("LOG_LEVEL", "INFO")
        if name.upper() not in LOG_LEVELS:
            reader.faults.append(f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {name!r}")
        function, project = reader.text("FUNCTION_TARGET", ""), reader.text("GOOGLE_CLOUD_PROJECT", "")
        reader.done()
        return cls(logging.getLevelNamesMapping()[name.upper()], function, project)


@dataclass(frozen=True)
class ServerSettings:
    """Where a function's process listens, its threads (one for each request), and its grace after SIGTERM."""

    host: str
    port: int
    threads: int
    grace_seconds: int

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        reader = _Reader(environ)
        host = reader.text("HOST", "0.0.0.0")  # noqa: S104 - in a pod every address is the pod's own
        port = reader.number("PORT", 8080, 1, 65_535)
        threads = reader.number("THREADS", 80, 1, 900)
        grace = reader.number("GRACE_SECONDS", 570, 1, 3600)
        reader.done()
        return cls(host, port, threads, grace)
