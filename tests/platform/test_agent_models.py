"""Manifests, from Core's element manager through MetaPaaS's agent to our tables."""

import datetime
import json

from exordos_paas_storage.models import access_key, bucket, secrets, version
from exordos_paas_storage.plugin import declared, keys, place
from tests.platform import core_elements
from tests.platform.core_elements import link
from tests.platform.shop import NAMES, SECRET, installed, platform, rows, shop, tables
from tests.service import made

__all__ = ("platform", "tables")


def test_every_kind_fits_and_is_one_that_core_emits():
    kinds = [one.kind for one in core_elements.configured()]

    assert kinds == [declared.kind(path) for path in declared.AGENT_MODELS]
    assert max(map(len, kinds)) <= 64


def test_one_of_each_becomes_active(platform, db):
    installed(platform)

    assert {row["project_id"] for row in rows(db, "access_keys")} == {declared.PROJECT}
    (bucket_row,) = rows(db, "buckets")
    assert bucket_row["uuid"] == platform.one("photos")["uuid"]
    assert bucket_row["versioning"] is True
    (attached,) = rows(db, "attachments")
    assert attached["uuid"] == platform.one("looks")["uuid"]
    assert platform.one("main")["value"]["endpoint"].startswith("http://")


def test_what_is_settled_is_left_alone(platform, db):
    installed(platform)
    platform.until(platform.is_settled)
    before = [rows(db, kind) for kind in ("instances", "buckets", "access_keys")]
    for _ in range(4):
        platform.turn()

    assert platform.is_settled()
    assert [
        rows(db, kind) for kind in ("instances", "buckets", "access_keys")
    ] == before


def test_what_is_active_stays_so(platform, caplog):
    installed(platform)
    platform.until(platform.is_settled)
    caplog.clear()

    assert platform.shown(NAMES, turns=8) == {(name, "ACTIVE") for name in NAMES}
    assert refusals(caplog) == []


def test_a_secret_stays_where_it_was_sealed(platform, db, tmp_path, caplog):
    installed(platform)

    key = access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"})
    assert key.opened() == SECRET
    reported = platform.one("key")
    assert reported["hash"] == reported["asked"]
    assert reported["value"]["access_key"] == "AKDECLARED"
    seen = db.execute("SELECT * FROM ua_actual_resources").fetchall()
    assert SECRET not in json.dumps([seen, rows(db, "access_keys")], default=str)
    files = [path.read_text() for path in tmp_path.iterdir()]
    assert len(files) == 2
    assert not any(SECRET in text for text in files)
    assert not [text for text in told(caplog) if SECRET in text]


def told(caplog):
    """What the agent and the service log; Core, here in this process, knows secrets."""
    for record in caplog.records:
        text = record.getMessage()
        statement = text.partition(" with values ")[0]
        if record.name.startswith("restalchemy") and (
            '"em_' in statement
            or " em_" in statement
            or "ua_target_resources" in statement
        ):
            continue
        if not record.name.startswith("exordos_core"):
            yield text


def refusals(caplog):
    """What the service refused."""
    said = [record.getMessage() for record in caplog.records]
    return [text for text in said if " is refused: " in text]


def test_a_failing_commit_logs_no_secret(platform, db, caplog):
    db.execute(
        """
        CREATE FUNCTION s3aas_break() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'broken at commit'; END $$;
        CREATE CONSTRAINT TRIGGER s3aas_break AFTER INSERT ON s3aas_access_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION s3aas_break()
        """
    )
    try:
        platform.install("shop", shop())
        platform.until(
            lambda: any("broken at commit" in str(r.exc_info) for r in caplog.records)
        )
    finally:
        db.execute("DROP FUNCTION s3aas_break CASCADE")
    failures = [text for text in told(caplog) if "Error creating resource" in text]
    assert any("(not logged)" in text for text in failures)
    assert not [text for text in told(caplog) if SECRET in text]
    platform.wait("key")


def test_a_fault_while_storing_is_reported_and_tried_again(platform, db):
    db.execute(
        """
        CREATE FUNCTION s3aas_break() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
        CREATE TRIGGER s3aas_break BEFORE INSERT ON s3aas_buckets
        FOR EACH ROW EXECUTE FUNCTION s3aas_break()
        """
    )
    try:
        platform.install("shop", shop())
        message = platform.refused("photos", "ERROR Unavailable bucket")
    finally:
        db.execute("DROP FUNCTION s3aas_break CASCADE")

    assert message == "bucket: can't be stored now; the agent's log says why"
    platform.wait("photos")


def test_without_the_sealing_keys_nothing_is_stored_in_clear(
    platform, db, monkeypatch, tmp_path, caplog
):
    with monkeypatch.context() as patched:
        patched.setattr(place, "CONFIG_FILE", tmp_path / "s3aas.conf")
        patched.setattr(place, "SEALING_KEYS_FILE", tmp_path / "no-keys")
        patched.setattr(keys._Read, "keys", None)
        patched.setattr(secrets._Holder, "box", None)
        platform.install("shop", shop())
        platform.refused("main", "ERROR Unavailable instance")
        assert "no-keys" in caplog.text
        assert rows(db, "instances") == []

    for name in NAMES:
        platform.wait(name)


def test_a_change_of_the_manifest_follows(platform, db):
    manifest = installed(platform)

    platform.change(
        manifest,
        shop(
            photos={"versioning": False},
            alice={"enabled": False},
            key={"description": "of the shop", "expires_at": "2040-01-01T00:00:00Z"},
        ),
    )
    for name in NAMES:
        platform.wait(name)

    assert rows(db, "buckets")[0]["versioning"] is False
    assert rows(db, "users")[0]["enabled"] is False
    (key,) = rows(db, "access_keys")
    assert key["description"] == "of the shop"
    assert key["expires_at"].year == 2040


def test_what_the_api_changed_is_set_back(platform, db, caplog):
    installed(platform)
    platform.until(platform.is_settled)
    caplog.clear()
    key = access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"})
    key.enabled = False
    key.update()
    found = bucket.Bucket.objects.get_one(filters={"name": "photos"})
    found.versioning = False
    found.encryption = "aes256"
    found.update()

    platform.until(lambda: rows(db, "buckets")[0]["versioning"])
    platform.wait("photos")
    # The manifest does not speak of them.
    assert rows(db, "buckets")[0]["encryption"] == "aes256"
    assert rows(db, "access_keys")[0]["enabled"] is False
    assert refusals(caplog) == []


def test_what_the_api_deleted_comes_back(platform, db):
    installed(platform)
    first = rows(db, "buckets")[0]
    bucket.Bucket.objects.get_one(filters={"name": "photos"}).delete()

    platform.until(
        lambda: [r["created_at"] for r in rows(db, "buckets")] > [first["created_at"]]
    )
    assert platform.wait("photos")["uuid"] == first["uuid"]


def test_a_key_that_is_gone_comes_back_with_its_secret(platform, db, caplog):
    installed(platform)
    platform.until(platform.is_settled)
    caplog.clear()
    (lost,) = rows(db, "access_keys")
    access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"}).delete()
    made.until(lambda: not rows(db, "access_keys"))

    # Core has not said the secret again yet.
    platform.agent._iteration()
    assert rows(db, "access_keys") == []
    assert platform.one("key")["reported"] == "CREATING"
    platform.until(lambda: rows(db, "access_keys"))
    platform.wait("key")
    key = access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"})
    assert (key.uuid, key.opened()) == (lost["uuid"], SECRET)
    assert refusals(caplog) == []


def test_other_words_for_the_same_settle(platform, db):
    offered = version.find("0.0.1").uuid
    resources = shop(
        main={"version": f"/v1/types/s3/versions/{offered}", "bucket_name": None},
        photos={"instance": link("instances", "main", "get_uri()"), "encryption": None},
        alice={"policies": ["write-only", "read-only"], "enabled": None},
        looks={"policy": link("instances.policies", "looking")},
        key={
            "expires_at": "2040-01-01T03:00:00.5+03:00",
            "project_id": str(declared.PROJECT),
        },
    )
    resources["instances.users.policies"] = {}
    installed_names = [name for name in NAMES if name != "looks"]
    platform.install("shop", resources)
    for name in installed_names:
        platform.wait(name)
    platform.until(platform.is_settled)

    before = rows(db, "users"), rows(db, "access_keys"), rows(db, "instances")
    stayed = {(name, "ACTIVE") for name in installed_names}
    assert platform.shown(installed_names, turns=8) == stayed
    assert (rows(db, "users"), rows(db, "access_keys"), rows(db, "instances")) == before


def test_what_the_service_makes_by_itself_is_not_the_agents(platform, caplog):
    installed(platform, shop(main={"bucket_name": "default"}))
    caplog.clear()
    for _ in range(4):
        platform.turn()

    assert "Missing storage item" not in caplog.text


def test_a_key_without_an_end_gets_the_ceilings(platform, db, caplog):
    ceiling = {"max_key_ttl_s": 3600}
    manifest = installed(platform, shop(main=ceiling, key={"expires_at": None}))
    platform.until(platform.is_settled)
    (key,) = rows(db, "access_keys")
    assert 3599 <= (key["expires_at"] - key["created_at"]).total_seconds() <= 3600
    assert platform.shown(NAMES, turns=4) == {(name, "ACTIVE") for name in NAMES}
    assert "expires_at" not in " ".join(refusals(caplog))

    found = access_key.AccessKey.objects.get_one(filters={"access_key": "AKDECLARED"})
    found.expires_at = found.expires_at - datetime.timedelta(seconds=60)
    found.update()
    platform.until(
        lambda: rows(db, "access_keys")[0]["expires_at"] == key["expires_at"]
    )
    platform.wait("key")

    # A lower one is for new keys.
    lower = shop(main={"max_key_ttl_s": 60}, key={"expires_at": None})
    platform.change(manifest, lower)
    platform.until(lambda: rows(db, "instances")[0]["max_key_ttl_s"] == 60)
    platform.until(platform.is_settled)
    assert platform.shown(NAMES, turns=4) == {(name, "ACTIVE") for name in NAMES}
    assert rows(db, "access_keys")[0]["expires_at"] == key["expires_at"]


def test_a_default_policy_may_be_the_instances_own(platform, db):
    own = {"default_user_policies": ["read-only", "look"]}
    manifest = installed(platform, shop(main=own))
    platform.until(lambda: rows(db, "instances")[0]["default_user_policies"])
    assert rows(db, "instances")[0]["default_user_policies"] == ["read-only", "look"]

    platform.change(manifest, shop(main={"default_user_policies": ["nowhere"]}))
    message = platform.refused("main", "ERROR InvalidValue default_user_")
    assert message == "default_user_policies: nowhere is not a policy of the instance"
