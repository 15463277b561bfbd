"""From one version of the plugin to the next, with data in place."""

import json

import psycopg
import pytest

from tests import box, tenants
from tests.functional import conftest, environment
from tests.service import made
from tests.tenants import DONE

pytestmark = [pytest.mark.stand, pytest.mark.timeout(900)]

UPGRADE_S = 300.0
GSERVICE = "exordos-metapaas-gservice"


def installed(live):
    (found,) = live.core.list("em/elements", name="s3aas")
    return found


def following(version):
    """The next version after this one."""
    first, _, last = version.rpartition(".")
    return f"{first}.{int(last) + 1}"


def offers(run, version):
    """Whether Core finds that version of the service in a repository."""
    listed = json.loads(run("repo", "elements", "list", "--dev", "--output", "json"))
    return ("s3aas", version) in [(one["name"], one["version"]) for one in listed]


def test_an_upgrade_of_the_element_keeps_everything(
    api, breaker, client, example, given, live, new_instance, place, run
):
    """MetaPaaS installs the next wheel by itself; rows, keys and objects stay."""
    url = given.needs(environment.DATABASE, given.database)
    key = place.key(place.user())
    key.s3.put_object(Bucket=place.bucket, Key="kept", Body=b"kept")
    kinds = ("buckets", "users", "policies")
    before = {kind: api.show(f"{example.at}/{kind}") for kind in kinds}
    permissions = {
        one["name"]: one["uuid"]
        for one in live.core.list("iam/permissions")
        if one["name"].startswith("s3aas.")
    }
    pids, version = breaker.processes(), following(installed(live)["version"])
    breaker("wheel", version)
    made.until(lambda: offers(run, version), UPGRADE_S, f"Core offers s3aas {version}")

    # From the repository: machines get their image from the one it was installed from.
    run("ee", "update", "s3aas", "-v", version, "--yes")

    made.until(
        lambda: (
            (installed(live)["version"], installed(live)["status"])
            == (version, "ACTIVE")
        ),
        UPGRADE_S,
        f"s3aas is ACTIVE in version {version}",
    )
    made.until(
        lambda: breaker.processes()[GSERVICE] not in (None, pids[GSERVICE]),
        UPGRADE_S,
        "MetaPaaS has restarted its services with the next wheel",
    )
    with psycopg.connect(url) as connection:
        wanted = "SELECT version, status FROM metapaas_paas_types WHERE name = 's3'"
        assert connection.execute(wanted).fetchone() == (version, "ACTIVE")
    shown = api.wait(example.at, deadline_s=conftest.INSTANCE_S)
    assert shown["id"] == example.shown["id"]
    assert shown["endpoint"] == example.shown["endpoint"]
    for kind, listed in before.items():
        after = {one["id"]: one["name"] for one in api.show(f"{example.at}/{kind}")}
        assert {one["id"]: one["name"] for one in listed}.items() <= after.items()
    assert key.gets("kept") == DONE
    name = made.unique("next")
    api.make(f"{place.at}/buckets", name=name)
    api.wait(f"{place.at}/buckets/{name}", deadline_s=UPGRADE_S)
    box.wait_until(lambda: key.s3.put_object(Bucket=name, Key="x", Body=b"x"))
    kept = {one["name"]: one["uuid"] for one in live.core.list("iam/permissions")}
    assert permissions.items() <= kept.items()
    # The new release gets machines, too.
    found = tenants.Place(client, new_instance(bucket_name="first")["name"])
    assert found.key(found.user()).gets() == DONE
