"""Tables full of messages, for what must not become slow with their number."""

from nanoka.database import Database
from nanoka.settings import DatabaseSettings

PER_CONVERSATION = 100
CONVERSATIONS_EACH = 100
"""Of each person; a hundred of these are a busy week."""

# Conversations begin at random moments of the `span` days before `oldest` days ago; a message comes every minute.
FILL = """
    INSERT INTO users (id, issuer, subject, email, name)
    SELECT md5('user' || u)::uuid, 'bench', u::text, u || '@bench.test', 'User ' || u
    FROM generate_series(0, {conversations} / {each} - 1) u;
    INSERT INTO conversations (id, user_id, title, created_at, updated_at)
    SELECT md5('conversation' || c)::uuid, md5('user' || c / {each})::uuid, 'Conversation ' || c, start,
        start + interval '1 minute' * ({messages} - 1)
    FROM generate_series(0, {conversations} - 1) c,
        LATERAL (SELECT now() - interval '1 day' * ({newest} + random() * {span} + c * 0) AS start) starts;
    INSERT INTO messages (conversation_id, created_at, id, parent_id, role, text, model)
    SELECT c.id, c.created_at + interval '1 minute' * n, md5(c.id::text || n)::uuid,
        CASE WHEN n > 0 THEN md5(c.id::text || n - 1)::uuid END,
        CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
        'Message ' || n || ' of a conversation in which somebody asks for the way to 東京タワー and is told it.',
        CASE n % 2 WHEN 1 THEN 'bench' END
    FROM conversations c, generate_series(0, {messages} - 1) n;
"""


def fill(url: str, messages: int, *, newest: float, span: float) -> None:
    """Fill an empty, migrated database with so many messages, between `newest` and `newest` + `span` days old."""
    database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="bench", statement_timeout=1800)
    statements = FILL.format(
        conversations=max(messages // PER_CONVERSATION, CONVERSATIONS_EACH),
        each=CONVERSATIONS_EACH,
        messages=PER_CONVERSATION,
        newest=newest,
        span=span,
    )
    database.transaction(lambda connection: connection.script(statements))
    database.session(lambda connection: connection.script("VACUUM (ANALYZE, PARALLEL 0)"))
    database.close()
