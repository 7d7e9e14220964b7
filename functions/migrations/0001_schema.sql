-- People, as their OpenID provider knows them.
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    issuer text NOT NULL,
    subject text NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    picture text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issuer, subject)
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    title text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The creation of its newest message.
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversations_newest ON conversations (user_id, updated_at DESC, id DESC);

-- One row for a question, one for an answer; a tree by parent_id. Partitioned by UTC day, so that purge drops a
-- day at a time. No foreign key to conversations: dropping a day would then have to lock that table as well. Who
-- writes a message holds its conversation's row lock, and who deletes a conversation deletes its messages.
CREATE TABLE messages (
    conversation_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    id uuid NOT NULL,
    parent_id uuid,
    role text NOT NULL CHECK (role IN ('user', 'assistant')),
    text text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'complete'
        CHECK (status IN ('streaming', 'complete', 'stopped', 'failed', 'interrupted')),
    error text,
    model text,
    -- While an answer is written: when its text was last saved, the sign of life that readers go by.
    saved_at timestamptz NOT NULL DEFAULT now(),
    stop_requested boolean NOT NULL DEFAULT false,
    PRIMARY KEY (conversation_id, created_at, id)
) PARTITION BY RANGE (created_at);
-- How purge finds what has expired on the boundary day and in the safety net, and the oldest message of all. On an
-- expression that no read has: on the bare column, the planner takes it for the newest message of a conversation as
-- long as it believes a day to be nearly empty, and goes on to read that day's messages of everybody.
CREATE INDEX messages_age ON messages ((created_at AT TIME ZONE 'UTC'));

-- The safety net: a purge that does not come for days must not stop anybody from writing.
CREATE TABLE messages_default PARTITION OF messages DEFAULT;

DO $$
DECLARE
    day date;
BEGIN
    FOR day IN SELECT generate_series((now() AT TIME ZONE 'UTC')::date - 8, (now() AT TIME ZONE 'UTC')::date + 8, '1 day')
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF messages FOR VALUES FROM (%L) TO (%L)',
            'messages_' || to_char(day, 'YYYY_MM_DD'), day || ' 00:00:00+00', (day + 1) || ' 00:00:00+00');
    END LOOP;
END $$;
