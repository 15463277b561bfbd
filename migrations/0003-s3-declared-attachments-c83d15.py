"""Which attachments a manifest declares as objects of their own."""

from restalchemy.storage.sql import migrations


class MigrationStep(migrations.AbstractMigrationStep):
    def __init__(self):
        self._depends = ["0002-s3-idempotency-f2ec97.py"]

    @property
    def migration_id(self):
        return "c83d15e4-7a92-4f06-b1d8-3e5f9a0c6b27"

    @property
    def is_manual(self):
        return False

    def upgrade(self, session):
        # A declared user's own list of policies leaves these alone.
        session.execute(
            "ALTER TABLE s3aas_attachments "
            "ADD COLUMN declared BOOLEAN NOT NULL DEFAULT false",
            None,
        )

    def downgrade(self, session):
        session.execute("ALTER TABLE s3aas_attachments DROP COLUMN declared", None)


migration_step = MigrationStep()
