"""Settings: what is missing or malformed is named, all of it at once, and no secret is told."""

import pytest

from nanoka import settings
from nanoka.settings import (
    ChatSettings,
    DatabaseSettings,
    LogSettings,
    MigrateSettings,
    PurgeSettings,
    ServerSettings,
    SettingsError,
    SignInSettings,
    WebSettings,
)

CLIENT = {"OIDC_CLIENT_ID": "id", "OIDC_CLIENT_SECRET": "confidential"}
PURGE = {"PURGE_AUDIENCE": "https://purge", "PURGE_CALLERS": "a@x.test, b@x.test,"}
SQL = {"INSTANCE_CONNECTION_NAME": "p:r:i", "DB_USER": "u", "DB_NAME": "n"}


def test_public_url() -> None:
    assert WebSettings.read({"PUBLIC_URL": " https://nanoka.test/ "}).public_url == "https://nanoka.test"
    assert WebSettings.read({"PUBLIC_URL": "http://localhost:8080"}).public_url == "http://localhost:8080"


def test_database() -> None:
    assert DatabaseSettings.read({"DATABASE_URL": "postgresql://u@h/d"}).pool_size == 5
    assert DatabaseSettings.read({"DATABASE_URL": "postgres://u@h/d", "DATABASE_POOL_SIZE": "9"}).pool_size == 9
    assert DatabaseSettings.read(SQL) == DatabaseSettings("", "p:r:i", "u", "n", 5)


def test_sign_in() -> None:
    assert SignInSettings.read(CLIENT) == SignInSettings("https://accounts.google.com", "id", "confidential")
    for issuer in ("http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000", "https://issuer.test/a/"):
        assert SignInSettings.read(CLIENT | {"OIDC_ISSUER": issuer}).issuer == issuer, "to the letter"


def test_chat() -> None:
    read = ChatSettings.read({"CHAT_MODEL": "openai:a:b"})
    assert (read.model, read.context_tokens) == ("openai:a:b", 32_768)
    assert read.system_prompt == settings.SYSTEM_PROMPT
    assert ChatSettings.read({"CHAT_MODEL": "a:b", "CHAT_SYSTEM_PROMPT": "Hm."}).system_prompt == "Hm."


def test_purge() -> None:
    assert PurgeSettings.read(PURGE) == PurgeSettings(
        "https://purge", frozenset({"a@x.test", "b@x.test"}), "https://www.googleapis.com/oauth2/v1/certs"
    )


def test_log() -> None:
    assert LogSettings.read({}) == LogSettings(20, "", "")
    given = {"LOG_LEVEL": "warning", "FUNCTION_TARGET": "login", "GOOGLE_CLOUD_PROJECT": "p"}
    assert LogSettings.read(given) == LogSettings(30, "login", "p")


def test_server() -> None:
    assert ServerSettings.read({}) == ServerSettings("0.0.0.0", 8080, 80, 570)


def test_migrate() -> None:
    assert MigrateSettings.read({"DB_APP_USERS": "a, b", "DB_PURGE_USERS": ""}) == MigrateSettings(("a", "b"), ())


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://from.environment")
    assert WebSettings.read().public_url == "https://from.environment"


@pytest.mark.parametrize(
    ("kind", "environ", "fault"),
    [
        (WebSettings, {}, "PUBLIC_URL is not set"),
        (WebSettings, {"PUBLIC_URL": "  "}, "PUBLIC_URL is not set"),
        (WebSettings, {"PUBLIC_URL": "nanoka.test"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "ftp://nanoka.test"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "https://"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "https://a:0"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "https://a:b"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "https://a?b"}, "PUBLIC_URL must be an http or https address"),
        (WebSettings, {"PUBLIC_URL": "https://a/b"}, "PUBLIC_URL must be an origin without a path"),
        (DatabaseSettings, {}, "neither DATABASE_URL nor INSTANCE_CONNECTION_NAME is set"),
        (DatabaseSettings, {"DATABASE_URL": "mysql://u:confidential@h"}, "DATABASE_URL must be postgresql://"),
        (DatabaseSettings, SQL | {"INSTANCE_CONNECTION_NAME": "i"}, "INSTANCE_CONNECTION_NAME must be project:region"),
        (DatabaseSettings, SQL | {"DB_USER": ""}, "DB_USER is not set"),
        (DatabaseSettings, SQL | {"DB_NAME": ""}, "DB_NAME is not set"),
        (DatabaseSettings, SQL | {"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE must be a whole number from 1 to"),
        (DatabaseSettings, SQL | {"DATABASE_POOL_SIZE": "x"}, "DATABASE_POOL_SIZE must be a whole number from 1 to"),
        (DatabaseSettings, SQL | {"DATABASE_POOL_SIZE": "٣"}, "DATABASE_POOL_SIZE must be a whole number from 1 to"),
        (DatabaseSettings, {"DATABASE_URL": "postgresql://h:x/d"}, "DATABASE_URL must be postgresql://"),
        (DatabaseSettings, {"DATABASE_URL": "postgresql://h:0/d"}, "DATABASE_URL must be postgresql://"),
        (DatabaseSettings, SQL | {"CLOUD_SQL_IP_TYPE": "none"}, "CLOUD_SQL_IP_TYPE must be private, public or psc"),
        (DatabaseSettings, SQL | {"CLOUD_SQL_ENDPOINT": "x"}, "CLOUD_SQL_ENDPOINT must be an http or https address"),
        (SignInSettings, CLIENT | {"OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID is not set"),
        (SignInSettings, CLIENT | {"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET is not set"),
        (SignInSettings, CLIENT | {"OIDC_ISSUER": "x"}, "OIDC_ISSUER must be an http or https address"),
        (SignInSettings, CLIENT | {"OIDC_ISSUER": "http://issuer.test"}, "OIDC_ISSUER may be http only on localhost"),
        (SignInSettings, CLIENT | {"OIDC_ISSUER": "http://10.0.0.1"}, "OIDC_ISSUER may be http only on localhost"),
        (SignInSettings, CLIENT | {"OIDC_ISSUER": "http://localhost.evil"}, "OIDC_ISSUER may be http only on"),
        (ChatSettings, {}, "CHAT_MODEL is not set"),
        (ChatSettings, {"CHAT_MODEL": "gemini"}, "CHAT_MODEL must be provider:model"),
        (ChatSettings, {"CHAT_MODEL": ":a"}, "CHAT_MODEL must be provider:model"),
        (ChatSettings, {"CHAT_MODEL": "a:"}, "CHAT_MODEL must be provider:model"),
        (ChatSettings, {"CHAT_MODEL": "a:b", "CHAT_CONTEXT_TOKENS": "0"}, "CHAT_CONTEXT_TOKENS must be a whole number"),
        (PurgeSettings, PURGE | {"PURGE_AUDIENCE": ""}, "PURGE_AUDIENCE is not set"),
        (PurgeSettings, PURGE | {"PURGE_CALLERS": ""}, "PURGE_CALLERS is not set"),
        (PurgeSettings, PURGE | {"PURGE_CALLERS": "a, b@c"}, "PURGE_CALLERS must be e-mail addresses, not a"),
        (PurgeSettings, PURGE | {"PURGE_CERTS_URL": "x"}, "PURGE_CERTS_URL must be an http or https address"),
        (LogSettings, {"LOG_LEVEL": "chatty"}, "LOG_LEVEL must be one of DEBUG, INFO"),
        (ServerSettings, {"PORT": "65536"}, "PORT must be a whole number from 1 to 65535, not '65536'"),
        (ServerSettings, {"THREADS": "-1"}, "THREADS must be a whole number"),
        (MigrateSettings, {"DB_APP_USERS": "a" * 64}, "DB_APP_USERS must be names of database users"),
    ],
)
def test_a_fault_is_named(kind: type[WebSettings], environ: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        kind.read(environ)
    assert fault in str(caught.value)
    assert "confidential" not in str(caught.value)
    assert len(caught.value.faults) == 1


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        ServerSettings.read({"PORT": "x", "THREADS": "y", "GRACE_SECONDS": "z"})
    assert [fault.split()[0] for fault in caught.value.faults] == ["PORT", "THREADS", "GRACE_SECONDS"]


def test_secrets_are_not_shown() -> None:
    assert "confidential" not in repr(SignInSettings.read(CLIENT))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), (None, False)],
)
def test_loopback(host: str | None, *, loopback: bool) -> None:
    assert settings.is_loopback(host) is loopback
