"""Rows that are looked at again at a time of their own, such as a key's last second."""

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

    def downgrade(self, session):
        for table in QUEUED:
            session.execute(f"ALTER TABLE {table} DROP COLUMN wake_at", None)


migration_step = MigrationStep()
