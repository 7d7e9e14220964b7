"""Connections to a Cloud SQL instance with IAM login, by Google's own connector.

Importing the connector costs 0.35 s, so only `database` imports this, at the first connection after the fork.
"""

import threading
from functools import cache
from typing import Any

from google.cloud.sql.connector import Connector
from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError, InterfaceError

from nanoka.settings import DatabaseSettings

TIMEOUT = 10
"""Seconds for which the instance may take to let us in."""

_one_at_a_time = threading.Lock()


@cache
def _connector(endpoint: str) -> Connector:
    # "lazy": certificates are renewed when a connection is made, since a function at rest has no CPU for a timer.
    return Connector(refresh_strategy="lazy", sqladmin_api_endpoint=endpoint or None)


def connect(settings: DatabaseSettings, **options: Any) -> CoreConnection:
    """A TLS connection as `settings.user`, a service account's database user, with its token instead of a password.

    Raises:
        OSError: no connection; Google's answer is in its text.
        pg8000.exceptions.DatabaseError: PostgreSQL refuses us.
    """
    try:
        with _one_at_a_time:
            connector = _connector(settings.endpoint)
        connection: CoreConnection = connector.connect(
            settings.instance,
            "pg8000",
            user=settings.user,
            db=settings.name,
            enable_iam_auth=True,
            ip_type=settings.ip_type,
            timeout=TIMEOUT,
            ssl_context=False,  # the connector's TLS is around it already
            **options,
        )
    except (DatabaseError, InterfaceError, OSError):
        raise
    except Exception as error:  # google-auth's, aiohttp's and the connector's own have nothing in common
        raise ConnectionError(f"Cloud SQL: {error}") from error
    return connection
