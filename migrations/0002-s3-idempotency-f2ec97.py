"""Answers to POSTs with an Idempotency-Key, kept for a day."""

from restalchemy.storage.sql import migrations

TABLE = """
    CREATE TABLE s3aas_idempotency (
        uuid UUID PRIMARY KEY,
        project_id UUID NOT NULL,
        user_uuid UUID NOT NULL,
        place VARCHAR(255) NOT NULL,
        key VARCHAR(255) NOT NULL,
        body TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        status SMALLINT,
        answer TEXT,
        headers JSONB,
        made UUID,
        UNIQUE (project_id, user_uuid, place, key)
    )
"""
BY_AGE = "CREATE INDEX ON s3aas_idempotency (created_at)"


class MigrationStep(migrations.AbstractMigrationStep):
    def __init__(self):
        self._depends = ["0001-s3-rights-4b7a90.py"]

    @property
    def migration_id(self):
        return "f2ec9751-0b6d-4c83-a9d4-6e1f38c2b75a"

    @property
    def is_manual(self):
        return False

    def upgrade(self, session):
        for statement in (TABLE, BY_AGE):
            session.execute(statement, None)

    def downgrade(self, session):
        self._delete_table_if_exists(session, "s3aas_idempotency")


migration_step = MigrationStep()
