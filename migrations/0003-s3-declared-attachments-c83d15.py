"""What manifests attach, and which keys are never made for them again."""

from restalchemy.storage.sql import migrations

# A key by its id, and by its uuid for a manifest that leaves the id to the service.
ROTATED_AWAY = """
    CREATE TABLE s3aas_rotated_away (
        instance UUID NOT NULL REFERENCES s3aas_instances (uuid) ON DELETE CASCADE,
        key VARCHAR(36) NOT NULL,
        PRIMARY KEY (instance, key)
    )
"""
# The project is that of all declared objects.
KNOWN = """
    WITH declared AS (
        SELECT * FROM s3aas_access_keys
        WHERE project_id = '12345678-c625-4fee-81d5-f691897b8142'
    )
    INSERT INTO s3aas_rotated_away (instance, key)
    SELECT instance, rotated_from FROM declared WHERE rotated_from IS NOT NULL
    UNION SELECT instance, access_key FROM declared WHERE rotated_to IS NOT NULL
    UNION SELECT instance, uuid::text FROM declared WHERE rotated_to IS NOT NULL
"""
# Of attachments: a declared user's own list of policies leaves alone what is declared;
# what is declared no more may wait for its user, whose list may name it by now.
MARKS = ("declared", "waits_for_user")


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
        for statement in (ROTATED_AWAY, KNOWN):
            session.execute(statement, None)
        for mark in MARKS:
            session.execute(
                f"ALTER TABLE s3aas_attachments "
                f"ADD COLUMN {mark} BOOLEAN NOT NULL DEFAULT false",
                None,
            )

    def downgrade(self, session):
        for mark in MARKS:
            session.execute(f"ALTER TABLE s3aas_attachments DROP COLUMN {mark}", None)
        session.execute("DROP TABLE s3aas_rotated_away", None)


migration_step = MigrationStep()
