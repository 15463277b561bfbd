"""Rows that are due at a time of their own, and how long a key was meant to live."""

from restalchemy.storage.sql import migrations

# What the reconciler works on; `wake_at` is its column.
QUEUED = (
    "s3aas_instances",
    "s3aas_buckets",
    "s3aas_users",
    "s3aas_policies",
    "s3aas_access_keys",
)


class MigrationStep(migrations.AbstractMigrationStep):
    def __init__(self):
        self._depends = ["0000-s3-init-5c1e07.py"]

    @property
    def migration_id(self):
        return "4b7a90c6-58f3-4a1e-bb0d-2f6c9e7d1a35"

    @property
    def is_manual(self):
        return False

    def upgrade(self, session):
        for table in QUEUED:
            session.execute(f"ALTER TABLE {table} ADD COLUMN wake_at TIMESTAMPTZ", None)
            session.execute(
                f"CREATE INDEX ON {table} (wake_at) WHERE wake_at IS NOT NULL", None
            )
        # Whole seconds; unlike expires_at it stays as it is in a rotation.
        session.execute("ALTER TABLE s3aas_access_keys ADD COLUMN life_s BIGINT", None)
        # An audit reads the attachments of one instance.
        session.execute("CREATE INDEX ON s3aas_attachments (instance)", None)

    def downgrade(self, session):
        session.execute("DROP INDEX s3aas_attachments_instance_idx", None)
        session.execute("ALTER TABLE s3aas_access_keys DROP COLUMN life_s", None)
        for table in QUEUED:
            session.execute(f"ALTER TABLE {table} DROP COLUMN wake_at", None)


migration_step = MigrationStep()
