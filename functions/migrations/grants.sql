-- Who may do what. Run after the numbered steps, every time: it only adds what is missing.
--
-- `nanoka_app` is what login, send-message and list-history may do, `nanoka_purge` what purge may: it owns `messages`,
-- since only an owner creates and drops partitions. Database users become members of one of them. A migrating user
-- who may not create roles leaves everything to itself, and all functions then run as that one user.
DO $$
DECLARE
    role text;
    part regclass;
    -- Who makes the roles: oneself, or a role that one may act as. Cloud SQL's service accounts are mere members of
    -- `cloudsqlsuperuser`, and the right to make roles is not inherited.
    maker text := (
        SELECT rolname FROM pg_roles WHERE (rolsuper OR rolcreaterole) AND pg_has_role(oid, 'SET')
        ORDER BY rolname = current_user DESC LIMIT 1);
BEGIN
    FOREACH role IN ARRAY ARRAY['nanoka_app', 'nanoka_purge'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('SET LOCAL ROLE %I', coalesce(maker, current_user));
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
                RESET ROLE;
            EXCEPTION
                -- Roles belong to all databases of a server: another one's migration may have been quicker.
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE NOTICE 'no role % : everything stays with %', role, current_user;
                    RETURN;
            END;
        END IF;
    END LOOP;

    GRANT SELECT, INSERT, UPDATE, DELETE ON users, sessions, sign_ins, conversations, messages TO nanoka_app;
    GRANT SELECT, UPDATE, DELETE ON conversations TO nanoka_purge;  -- UPDATE is what a row lock asks for
    GRANT SELECT, DELETE ON sessions TO nanoka_purge;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO nanoka_app', current_schema());
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO nanoka_purge', current_schema());

    IF NOT pg_has_role('nanoka_purge', 'SET') THEN
        BEGIN
            EXECUTE format('GRANT nanoka_purge TO %I', current_user);
        EXCEPTION
            WHEN unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'messages stays with %', current_user;
                RETURN;
        END;
    END IF;
    FOR part IN
        SELECT oid FROM pg_class
        WHERE oid IN (SELECT relid FROM pg_partition_tree('messages')) AND relkind IN ('r', 'p')
        AND relowner <> 'nanoka_purge'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO nanoka_purge', part);
    END LOOP;
END $$;
