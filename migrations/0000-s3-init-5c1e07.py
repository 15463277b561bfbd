"""Tables of the S3 service: what users ask for, and how far the engine is."""

from restalchemy.storage.sql import migrations

# The desired half (labels to updated_at) has one writer, the models; the observed half
# and the queue columns are the reconciler's. A row is due while revision differs from
# seen_revision.
COMMON = """
    uuid UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    labels JSONB NOT NULL DEFAULT '{}',
    generation BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    observed_generation BIGINT NOT NULL DEFAULT 0,
    status VARCHAR(16) NOT NULL,
    status_message VARCHAR(1024) NOT NULL DEFAULT '',
    conditions JSONB NOT NULL DEFAULT '[]',
    ours BOOLEAN NOT NULL DEFAULT false,
    revision BIGINT NOT NULL DEFAULT 1,
    seen_revision BIGINT NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    lease_until TIMESTAMPTZ,
"""

TABLES = {
    "s3aas_versions": """
        name VARCHAR(255) NOT NULL UNIQUE,
        engine VARCHAR(16) NOT NULL,
        engine_version VARCHAR(64) NOT NULL,
        image VARCHAR(255),
        "default" BOOLEAN NOT NULL DEFAULT false,
        deprecated BOOLEAN NOT NULL DEFAULT false
    """,
    "s3aas_instances": """
        name VARCHAR(63) NOT NULL,
        description VARCHAR(255) NOT NULL DEFAULT '',
        version VARCHAR(255) NOT NULL REFERENCES s3aas_versions (name),
        engine VARCHAR(16) NOT NULL,
        engine_version VARCHAR(64) NOT NULL,
        region VARCHAR(32) NOT NULL,
        bucket_name VARCHAR(63),
        encryption VARCHAR(8) NOT NULL,
        versioning BOOLEAN NOT NULL,
        mfa_delete BOOLEAN NOT NULL DEFAULT false,
        public_access VARCHAR(8) NOT NULL DEFAULT 'blocked',
        read_only BOOLEAN NOT NULL DEFAULT false,
        suspended BOOLEAN NOT NULL DEFAULT false,
        deletion_protection BOOLEAN NOT NULL DEFAULT false,
        default_user_policies TEXT[] NOT NULL,
        max_key_ttl_s INTEGER,
        s3_bucket_api VARCHAR(8) NOT NULL DEFAULT 'denied',
        cpu INTEGER NOT NULL,
        ram INTEGER NOT NULL,
        disk_size INTEGER NOT NULL,
        nodes_number INTEGER NOT NULL DEFAULT 1,
        engine_ready BOOLEAN NOT NULL DEFAULT false,
        sealing_proved BOOLEAN NOT NULL DEFAULT false,
        UNIQUE (project_id, name)
    """,
    "s3aas_nodes": """
        instance UUID NOT NULL UNIQUE REFERENCES s3aas_instances (uuid),
        host VARCHAR(255),
        port INTEGER,
        state VARCHAR(32) NOT NULL DEFAULT 'Unplaced',
        root_access_key VARCHAR(64) NOT NULL,
        root_secret TEXT NOT NULL,
        sse_master_key TEXT NOT NULL,
        iam_master_key TEXT NOT NULL,
        UNIQUE (host, port)
    """,
    "s3aas_buckets": """
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid),
        name VARCHAR(63) NOT NULL,
        versioning BOOLEAN,
        encryption VARCHAR(8),
        object_lock JSONB,
        lifecycle JSONB,
        cors JSONB,
        tags JSONB NOT NULL DEFAULT '{}',
        policy JSONB,
        public BOOLEAN NOT NULL DEFAULT false,
        quota_bytes BIGINT,
        UNIQUE (instance, name)
    """,
    "s3aas_users": """
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid),
        name VARCHAR(64) NOT NULL,
        description VARCHAR(255) NOT NULL DEFAULT '',
        enabled BOOLEAN NOT NULL DEFAULT true,
        inherits_policies BOOLEAN NOT NULL,
        UNIQUE (instance, name)
    """,
    "s3aas_policies": """
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid),
        name VARCHAR(63) NOT NULL,
        template VARCHAR(32),
        parameters JSONB NOT NULL DEFAULT '{}',
        source JSONB,
        reserved BOOLEAN NOT NULL DEFAULT false,
        UNIQUE (instance, name)
    """,
    "s3aas_attachments": """
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid),
        user_uuid UUID NOT NULL REFERENCES s3aas_users (uuid),
        policy_uuid UUID NOT NULL REFERENCES s3aas_policies (uuid),
        UNIQUE (user_uuid, policy_uuid)
    """,
    "s3aas_access_keys": """
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid),
        user_uuid UUID NOT NULL REFERENCES s3aas_users (uuid),
        access_key VARCHAR(20) NOT NULL,
        secret TEXT NOT NULL,
        description VARCHAR(255) NOT NULL DEFAULT '',
        enabled BOOLEAN NOT NULL DEFAULT true,
        expires_at TIMESTAMP,
        scope JSONB,
        rotated_from VARCHAR(20),
        rotated_to VARCHAR(20),
        UNIQUE (instance, access_key)
    """,
}

# What the reconciler works on; a user's row carries its attachments.
QUEUED = (
    "s3aas_instances",
    "s3aas_buckets",
    "s3aas_users",
    "s3aas_policies",
    "s3aas_access_keys",
)

# Buckets and keys look their parent up by the unique index; these are the other ways.
INDEXES = (
    "CREATE INDEX ON s3aas_attachments (policy_uuid)",
    "CREATE INDEX ON s3aas_access_keys (user_uuid)",
)

NOTIFY = """
    CREATE FUNCTION s3aas_notify() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.revision <> NEW.seen_revision THEN
            PERFORM pg_notify('s3aas_changes', TG_TABLE_NAME);
        END IF;
        RETURN NULL;
    END $$
"""

# Lets every writer wake the reconciler: the API, an agent, psql. A claim or a failed
# try moves neither column and so wakes nobody.
TRIGGER = """
    CREATE TRIGGER {table}_changed AFTER INSERT OR UPDATE OF revision ON {table}
    FOR EACH ROW EXECUTE FUNCTION s3aas_notify()
"""

QUEUE = """
    CREATE INDEX ON {table} (next_try_at) WHERE revision <> seen_revision
"""

ACCOUNTS = (
    """
    CREATE TABLE s3aas_iam_projects (
        uuid UUID PRIMARY KEY,
        name VARCHAR(63) NOT NULL UNIQUE
    )
    """,
    """
    CREATE TABLE s3aas_iam_users (
        uuid UUID PRIMARY KEY,
        name VARCHAR(64) NOT NULL UNIQUE,
        password_hash TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE s3aas_iam_roles (
        user_uuid UUID NOT NULL REFERENCES s3aas_iam_users (uuid) ON DELETE CASCADE,
        project_uuid UUID NOT NULL REFERENCES s3aas_iam_projects (uuid),
        role VARCHAR(16) NOT NULL,
        PRIMARY KEY (user_uuid, project_uuid)
    )
    """,
    """
    CREATE TABLE s3aas_seal_check (
        single BOOLEAN PRIMARY KEY DEFAULT true CHECK (single),
        sealed TEXT NOT NULL
    )
    """,
)


class MigrationStep(migrations.AbstractMigrationStep):
    def __init__(self):
        self._depends = [""]

    @property
    def migration_id(self):
        return "5c1e07d2-6a0f-4d0e-9a43-7f5f0c1d2b10"

    @property
    def is_manual(self):
        return False

    def upgrade(self, session):
        for table, columns in TABLES.items():
            session.execute(f"CREATE TABLE {table} ({COMMON} {columns})", None)
        for statement in (*INDEXES, NOTIFY, *ACCOUNTS):
            session.execute(statement, None)
        for table in QUEUED:
            session.execute(TRIGGER.format(table=table), None)
            session.execute(QUEUE.format(table=table), None)

    def downgrade(self, session):
        tables = [*TABLES][::-1]
        for table in (
            "s3aas_seal_check",
            "s3aas_iam_roles",
            "s3aas_iam_users",
            "s3aas_iam_projects",
            *tables,
        ):
            self._delete_table_if_exists(session, table)
        session.execute("DROP FUNCTION IF EXISTS s3aas_notify()", None)


migration_step = MigrationStep()
