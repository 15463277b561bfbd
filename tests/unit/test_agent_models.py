"""What manifests can declare, as far as it needs no platform."""

import ast
import importlib.util
import logging
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from exordos_paas_storage.domain import access, errors
from exordos_paas_storage.plugin import declared, declared_links, declared_log

# Of `ua_target_resources.kind` (gcl_sdk 3.7).
LONGEST_KIND = 64


def test_every_kind_fits_its_column():
    kinds = [declared.kind(path) for path in declared.AGENT_MODELS]

    assert "em_s3aas_types_s3_instances_users_access_keys" in kinds
    assert max(map(len, kinds)) <= LONGEST_KIND
    assert len(set(kinds)) == len(access.RESOURCES)


def test_every_model_is_there_and_has_a_filter():
    named = [model.split(":") for model in declared.AGENT_MODELS.values()]
    (module,) = {module for module, _ in named}
    found = importlib.util.find_spec(module)
    classes = {
        one.name
        for one in ast.parse(Path(found.origin).read_text()).body
        if isinstance(one, ast.ClassDef)
    }

    assert {name for _, name in named} <= classes
    assert declared.AGENT_FILTERS.keys() == declared.AGENT_MODELS.keys()


def test_what_every_process_of_the_host_imports_is_light():
    code = (
        "import sys; from exordos_paas_storage.plugin import declared; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'restalchemy', 'gcl_sdk', 'psycopg', 'oslo_config', 'cryptography'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ("/v1/types/s3/versions/0.0.1", "0.0.1"),
        ("/v1/types/s3/versions/0.0.1/", "0.0.1"),
        ("0.0.1", "0.0.1"),
        (None, None),
        (7, 7),
    ],
)
def test_a_link_ends_with_what_it_leads_to(link, word):
    assert declared_links.last(link) == word


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({}, errors.MissingField, "instance: is required"),
        ({"instance": 7}, errors.InvalidValue, "instance: must be a uuid"),
        ({"instance": "main"}, errors.InvalidValue, "instance: must be a uuid"),
        ({"instance": str(uuid.UUID(int=2))}, errors.ReadOnlyField, "instance: can't"),
    ],
)
def test_an_object_stays_where_it_is(asked, error, message):
    with pytest.raises(error, match=message):
        declared_links.check_same(asked, "instance", uuid.UUID(int=1))


def test_a_uri_and_a_uuid_are_the_same_place():
    here = uuid.UUID(int=1)
    for link in (str(here), f"/v1/types/s3/instances/{here}"):
        declared_links.check_same({"instance": link}, "instance", here)


@pytest.fixture
def agent_log(caplog):
    """The log that gcl_sdk's agent writes to."""
    declared_log.hide_views()
    return logging.getLogger("gcl_sdk.agents.universal.services.agent")


def test_the_agent_logs_no_view_of_ours(agent_log, caplog):
    # As its `_actualize_capability` does.
    agent_log.error(
        "Error creating resource %s with uuid (%s) and value (%s)",
        declared.kind("instances.users.access_keys"),
        uuid.UUID(int=1),
        str({"secret_key": "not to be seen"}),
    )

    assert "not to be seen" not in caplog.text
    assert "em_s3aas_types_s3_instances_users_access_keys" in caplog.text
    assert str(uuid.UUID(int=1)) in caplog.text


def test_the_agent_logs_others_as_before(agent_log, caplog):
    agent_log.error("%s has %s", "em_core_nodes", str({"name": "seen"}))
    agent_log.error("nothing to fill in")

    assert "seen" in caplog.text
    assert "nothing to fill in" in caplog.text
