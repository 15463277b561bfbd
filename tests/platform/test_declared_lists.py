"""What the agent reads at each of its passes, a few seconds apart."""

import pytest
from restalchemy.storage.sql import engines

from tests.platform import core_elements
from tests.platform.shop import installed, platform, tables
from tests.service import conftest

__all__ = ("platform", "tables")

OTHERS = 10_000
# As many instances of another project, each with what the declared one has.
_FILL = """
    INSERT INTO s3aas_{table} SELECT (jsonb_populate_record(one, jsonb_build_object(
        'uuid', md5(%(table)s || n)::uuid, 'project_id', %(project)s::uuid,
        'instance', md5('instances' || n)::uuid, 'name', 'other-' || n,
        'user_uuid', md5('users' || n)::uuid,
        'policy_uuid', md5('policies' || n)::uuid,
        'wake_at', NULL, 'seen_revision', one.revision
    ))).* FROM s3aas_{table} one, generate_series(1, %(n)s) n
    WHERE one.uuid = (SELECT uuid FROM s3aas_{table} LIMIT 1)
"""
_TABLES = ("instances", "buckets", "users", "policies", "attachments", "access_keys")


class Told:
    """A session that tells what it was asked."""

    def __init__(self, session):
        self._session = session
        self.statements = []

    def __getattr__(self, name):
        return getattr(self._session, name)

    def execute(self, statement, values=None):
        self.statements.append((statement, values))
        return self._session.execute(statement, values)


@pytest.fixture
def crowded(platform, db):
    """A platform with one object of each kind, and very many that are not declared."""
    installed(platform)
    project = conftest.PROJECTS["one"]
    for table in _TABLES:
        db.execute(
            _FILL.format(table=table), {"table": table, "project": project, "n": OTHERS}
        )
        db.execute(f"ANALYZE s3aas_{table}")
    return platform


def scanned(plan):
    """Tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from scanned(inner)


def test_a_list_reads_no_row_of_another_project(crowded, db):
    with engines.engine_factory.get_engine().session_manager() as session:
        for spec in core_elements.configured():
            if spec.kind.endswith("_versions"):
                continue
            told = Told(session)
            found = spec.model.objects.get_all(session=told, filters=spec.filters)
            assert len(found) == 1, spec.kind
            for statement, values in told.statements:
                [row] = db.execute(
                    f"EXPLAIN (FORMAT JSON) {statement}", values
                ).fetchall()
                [plan] = row["QUERY PLAN"]
                assert [*scanned(plan["Plan"])] == [], statement


def test_without_an_instance_there_is_nothing_to_list(platform, api):
    api.make("/instances", name="theirs", bucket_name="default")

    with engines.engine_factory.get_engine().session_manager() as session:
        for spec in core_elements.configured():
            if not spec.kind.endswith("_versions"):
                assert not spec.model.objects.get_all(session, spec.filters), spec.kind
