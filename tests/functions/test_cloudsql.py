"""Cloud SQL with IAM login: Google's own connector, over sockets and TLS, in front of the real PostgreSQL."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from google.cloud.sql.connector import connector as google_connector

from nanoka import cloudsql, database
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.settings import DatabaseSettings, SettingsError
from tests.functions.conftest import Browser, Functions, Rows
from tests.standins.cloudsql import CloudSql
from tests.standins.metadata import Metadata

USER = "nanoka@project.iam"

# The connector leaves its event loop and its HTTP client to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metadata]:
    """The machine's service account, and no other credentials."""
    with Metadata(f"{USER}.gserviceaccount.com") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path_factory.mktemp("no-gcloud")))
        # google-auth reads its environment when it is imported.
        host = server.environment["GCE_METADATA_HOST"]
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host, raising=False)
        yield server


def forget(instance: CloudSql) -> None:
    """Make the connector ask for everything anew."""
    cloudsql._connector(instance.address).close()  # noqa: SLF001
    cloudsql._connector.cache_clear()  # noqa: SLF001
    gc.collect()  # here, where its warnings are ignored


@pytest.fixture
def instance(metadata: Metadata, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudSql]:
    with CloudSql(database_url, metadata) as server:
        monkeypatch.setattr(google_connector, "SERVER_PROXY_PORT", server.proxy_port)
        yield server
        forget(server)


@pytest.fixture
def environment(environment: dict[str, str], instance: CloudSql, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of production: an instance instead of an address."""
    cloud = {
        "INSTANCE_CONNECTION_NAME": instance.instance,
        "DB_USER": USER,
        "DB_NAME": environment["DATABASE_URL"].rsplit("/", 1)[1],
        "CLOUD_SQL_ENDPOINT": instance.address,
    }
    monkeypatch.delenv("DATABASE_URL")
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    return cloud


@pytest.fixture
def settings(environment: dict[str, str]) -> DatabaseSettings:
    return DatabaseSettings.read(environment)


@pytest.fixture
def pool(settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(database, "RECOVERY", 0.5)
    pool = Database(settings)
    yield pool
    pool.close()


def test_a_function_answers_from_an_instance(function: Functions, rows: Rows) -> None:
    person = rows.person()
    rows.message(rows.conversation(person, "over TLS"))
    client = Browser(function("list_history"), person)
    for _ in range(3):
        assert [one["title"] for one in client.get("/api/conversations").json["conversations"]] == ["over TLS"]


def test_transactions_and_session_parameters_work(pool: Database, rows: Rows) -> None:
    assert pool.run("SHOW TimeZone") == [["UTC"]]
    assert pool.run("SHOW statement_timeout") == [["10s"]]
    pool.transaction(lambda connection: connection.run("CREATE TABLE made (id int)"))
    assert rows("SELECT to_regclass('made')::text") == [["made"]]


def test_one_certificate_serves_many_connections(pool: Database, instance: CloudSql) -> None:
    pool.run("SELECT 1")
    first = list(instance.asked)
    assert sorted(first) == ["connectSettings", "instance:generateEphemeralCert"]
    pool.close()
    pool.run("SELECT 1")
    assert instance.asked == first


def test_a_certificate_that_is_about_to_expire_is_renewed(pool: Database, instance: CloudSql) -> None:
    instance.certificate_lifetime = timedelta(minutes=1)
    pool.run("SELECT 1")
    pool.close()
    pool.run("SELECT 1")
    assert len(instance.asked) == 4


def test_a_token_that_may_not_log_in_is_refused_by_the_instance(pool: Database, instance: CloudSql) -> None:
    instance.metadata.email = "somebody.else@project.iam.gserviceaccount.com"
    with pytest.raises(DatabaseUnavailableError, match="IAM authentication failed"):
        pool.run("SELECT 1")


@pytest.mark.parametrize("status", [403, 404])
def test_what_the_admin_api_refuses_is_told(pool: Database, instance: CloudSql, status: int) -> None:
    instance.refuse = status
    with pytest.raises(DatabaseUnavailableError, match="refused by the stand-in"):
        pool.run("SELECT 1")
    instance.refuse = None
    assert pool.run("SELECT 1") == [[1]]


def test_only_the_address_that_was_asked_for_is_used(settings: DatabaseSettings, instance: CloudSql) -> None:
    instance.ip_type = "PRIMARY"
    public = Database(replace(settings, ip_type="public"))
    assert public.run("SELECT 1") == [[1]]
    public.close()


def test_the_private_address_is_the_one_unless_told(pool: Database, instance: CloudSql) -> None:
    instance.ip_type = "PRIMARY"
    with pytest.raises(DatabaseUnavailableError, match="PRIVATE"):
        pool.run("SELECT 1")


def test_the_connection_is_encrypted_and_verified(pool: Database, instance: CloudSql, rows: Rows) -> None:
    pool.run("SELECT 1")
    (connection,) = pool._idle  # noqa: SLF001
    assert connection.raw._usock.version() == "TLSv1.3"  # noqa: SLF001
    # Another authority's instance is not believed.
    instance._authority = CloudSql("postgresql://x", instance.metadata)._authority  # noqa: SLF001
    forget(instance)
    pool.close()
    with pytest.raises(DatabaseUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        pool.run("SELECT 1")


def test_settings_of_an_instance_are_checked() -> None:
    with pytest.raises(SettingsError) as error:
        DatabaseSettings.read({"INSTANCE_CONNECTION_NAME": "instance", "CLOUD_SQL_IP_TYPE": "x"})
    for name in ("INSTANCE_CONNECTION_NAME", "DB_USER", "DB_NAME", "CLOUD_SQL_IP_TYPE"):
        assert name in str(error.value)
