"""People: known by what their OpenID provider says, and forgotten with everything they wrote."""

from uuid import UUID

from nanoka.database import Connection, Database
from nanoka.oidc import Identity

UPSERT = """
    INSERT INTO users (issuer, subject, email, name, picture) VALUES (:issuer, :subject, :email, :name, :picture)
    ON CONFLICT (issuer, subject) DO UPDATE
    SET email = excluded.email, name = excluded.name, picture = excluded.picture
    RETURNING id
"""


def welcome(connection: Connection, identity: Identity) -> UUID:
    """The id of the person, new or known; name, address and picture are what the provider says now."""
    (user_id,) = connection.run(UPSERT, **vars(identity))[0]
    return UUID(str(user_id))


def delete(database: Database, user_id: UUID) -> None:
    """Delete a person with every conversation, message and session, at once."""
    database.transaction(lambda connection: delete_with(connection, user_id), retry=True)


def delete_with(connection: Connection, user_id: UUID) -> None:
    """The same within a transaction.

    What is being written at the same time does not come back: a new conversation waits for the person's row and
    then finds nobody to belong to, and a new message waits for its conversation's row, as messages are written
    under its lock; one that was first is committed before the conversations are gone, so it is seen and deleted.
    """
    connection.run("SELECT FROM users WHERE id = :id FOR UPDATE", id=user_id)
    gone = connection.run("DELETE FROM conversations WHERE user_id = :id RETURNING id", id=user_id)
    connection.run("DELETE FROM messages WHERE conversation_id = ANY(:ids)", ids=[row[0] for row in gone])
    connection.run("DELETE FROM users WHERE id = :id", id=user_id)  # its sessions go with it
