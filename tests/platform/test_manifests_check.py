"""The rendered manifests before the platform's own code, and mistakes in them."""

import copy
import functools
import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from manifest_check import __main__ as check
from manifest_check import manifest, storage
from s3aas_element import (
    release,
    render,
    versions,
)

from exordos_paas_storage.plugin import declared
from tests.docs.__main__ import specification
from tests.platform import manifest_mistakes

BUCKETS = "$s3aas.types.s3.instances.buckets"


@functools.cache
def openapi():
    return json.loads(specification())


@functools.cache
def rendered():
    engine = versions.engine("rustfs", "1.0.1")
    made = release.of("1.2.3", "http://10.20.0.1/simple/", engine, wheel="1.2.3")
    return {
        name: yaml.safe_load(render.manifest(name, made)) for name in render.ELEMENTS
    }


def manifests(changed=None, data=None):
    all_of_them = copy.deepcopy(rendered())
    if changed:
        all_of_them[changed] = data
    return [
        manifest.Manifest(Path(f"{name}.yaml"), found)
        for name, found in all_of_them.items()
    ]


def wrong_with(name, data):
    beside = manifests(name, data)
    [asked] = [each for each in beside if each.path.stem == name]
    return list(check.problems(asked, beside, openapi()))


def changed(name, change):
    data = copy.deepcopy(rendered()[name])
    change(data["resources"], data)
    return wrong_with(name, data)


@pytest.mark.parametrize("name", render.ELEMENTS)
def test_the_platform_takes_what_is_rendered(name):
    assert wrong_with(name, rendered()[name]) == []


@pytest.mark.parametrize(("name", "change", "said"), manifest_mistakes.ALL)
def test_a_mistake_is_found_and_named(name, change, said):
    assert [each for each in changed(name, change) if said in each]


def test_an_import_of_what_is_exported_is_right():
    data = {
        "name": "consumer",
        "description": "",
        "schema_version": 1,
        "version": "1.0.0",
        "api_version": "v1",
        "requirements": {"s3aas": {}, "communal_s3": {}},
        "imports": {
            "storage": {
                "element": "$communal_s3",
                "kind": "resource",
                "link": "$s3aas.types.s3.instances.$communal",
            }
        },
        "resources": {
            BUCKETS: {
                "mine": {
                    "instance": "$consumer.imports.$storage:uuid",
                    "name": "my-bucket",
                }
            }
        },
    }

    assert wrong_with("consumer", data) == []


def test_what_can_be_declared_is_what_the_api_makes():
    known = set(storage.collections(openapi()))

    assert known == set(declared.AGENT_MODELS) - {"versions"}


def test_the_command_ends_with_1_where_anything_is_wrong(tmp_path):
    document = tmp_path / "openapi.json"
    document.write_text(specification())
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(yaml.safe_dump(rendered()["communal_s3"]))
    broken = copy.deepcopy(rendered()["example_s3"])
    broken["resources"][BUCKETS]["media"]["color"] = "red"
    wrong.write_text(yaml.safe_dump(broken))

    for paths, status in (([right], 0), ([right, wrong], 1)):
        arguments = [*map(str, paths), f"--openapi={document}"]
        done = CliRunner().invoke(check.main, arguments)
        assert done.exit_code == status, done.output
    assert f"right  {right}" in done.output
    assert "color: can't be declared" in done.output
