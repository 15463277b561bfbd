"""The rendered manifests: rights as the table has them, and nothing by chance."""

import json
from collections import Counter

import pytest
import yaml
from click.testing import CliRunner
from s3aas_element import (
    __main__,
    grants,
    identity,
    image_files,
    release,
    render,
    urns,
    versions,
)

from exordos_paas_storage import __version__
from exordos_paas_storage.domain import access, capabilities, errors
from exordos_paas_storage.plugin import declared, place

ENGINES = pytest.mark.parametrize("engine", capabilities.ENGINES)
PERMISSIONS = "$core.iam.permissions"
GRANTS = "$core.iam.permission_bindings"
ROLES = "$core.iam.roles"
URL = "http://10.20.0.1:8081/simple/"
# By kind and label.
GOLDEN_IDS = {
    f"{GRANTS} owner_s3aas_bucket_create": "da84dfc5-43dc-5440-8879-f2bdd71831e8",
    "$core.iam.permissions s3aas_role_owner": "38456c59-ec84-5b7b-9f84-fc71fb1a3b0a",
    "$core.iam.roles operator": "bae16b9c-d6d5-5bcb-b145-93e04b5f3d97",
    "$core.iam.roles viewer": "cf9d9111-5720-5842-a747-dea51e59b7ee",
    "$metapaas.types s3": "054a189e-c947-557a-8cac-8db2bd5d143c",
    "$s3aas.types.s3.versions v0_0_1": "0e96b63d-5b4f-5a70-a37d-86c971652c29",
}


def made(version="1.2.3", engine="rustfs", engine_version="1.0.1", index=URL):
    wanted = versions.engine(engine, engine_version)
    return release.of(version, index, wanted)


def resources(element=place.ELEMENT, **given):
    return yaml.safe_load(render.manifest(element, made(**given)))["resources"]


def run(*arguments):
    return CliRunner().invoke(__main__.main, [str(one) for one in arguments])


def listing(tmp_path, text):
    path = tmp_path / "versions.yaml"
    path.write_text(text)
    return path


def offered(tmp_path, text, element="0.2.0"):
    engine = versions.engine("rustfs", "1.0.2")
    return versions.on_offer(engine, element, listing(tmp_path, text))


def test_every_permission_of_the_table_is_declared_once():
    names = [one["name"] for one in resources()[PERMISSIONS].values()]

    assert Counter(names) == Counter(access.all_permissions())


def test_every_verb_of_the_table_can_be_granted():
    names = {one.name for one in grants.permissions()}

    for resource in access.RESOURCES:
        for verb in resource.verbs:
            assert access.permission(resource.name, verb) in names


@pytest.mark.parametrize("role", access.ROLES)
def test_a_role_is_granted_what_the_table_says(role):
    found = resources()
    ours = {f"{ROLES}.${label}:uuid": label for label in found[ROLES]}
    ours[str(identity.PROJECT_OWNER)] = access.OWNER
    granted = [
        found[PERMISSIONS][one["permission"].split("$")[-1].removesuffix(":uuid")]
        for one in found[GRANTS].values()
        if ours[one["role"]] == role
    ]

    assert Counter(one["name"] for one in granted) == Counter(access.permissions(role))


def test_owners_need_no_role_of_ours_and_ours_belong_to_metapaas():
    roles = resources()[ROLES]

    assert {one["name"] for one in roles.values()} == {access.OPERATOR, access.VIEWER}
    assert {one["project_id"] for one in roles.values()} == {
        "4d657461-0000-0000-0000-000000000002"
    }


@pytest.mark.parametrize("element", render.ELEMENTS)
def test_nothing_has_a_wildcard(element):
    for kind, found in resources(element).items():
        if kind.startswith("$core.iam."):
            assert "*" not in json.dumps(found)


@pytest.mark.parametrize("element", render.ELEMENTS)
def test_the_same_release_is_the_same_text(element):
    assert render.manifest(element, made()) == render.manifest(element, made())


def test_another_release_declares_the_same_objects():
    """What has another id is made anew, while its name is still taken."""
    ids = [
        {
            (kind, label): one["uuid"]
            for kind, found in resources(version=version, engine=engine).items()
            for label, one in found.items()
        }
        for version, engine in (("1.2.3", "rustfs"), ("2.0.0-rc.1", "minio"))
    ]

    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == len(ids[0])


def test_ids_of_objects_never_change():
    """They are in every installed element: whoever changes them breaks its upgrade."""
    ids = {
        f"{kind} {label}": one["uuid"]
        for kind, found in resources().items()
        for label, one in found.items()
    }

    assert {name: ids[name] for name in GOLDEN_IDS} == GOLDEN_IDS


@pytest.mark.parametrize("element", render.ELEMENTS)
def test_names_and_kinds_fit_the_platform(element):
    for kind, found in resources(element).items():
        parts = kind.removeprefix("$").split(".")
        assert len(f"em_{'_'.join(parts)}") <= 64
        for label in found:
            assert label.replace("_", "").isalnum()
            assert len(f"{kind}.${label}") <= 255


@ENGINES
def test_the_version_names_the_engine_and_the_image_of_this_release(engine):
    found = resources(version="1.2.3", engine=engine, engine_version="7")
    [offer] = found[f"${place.ELEMENT}.types.{place.SLUG}.versions"].values()

    file = image_files.FILE
    assert (offer["engine"], offer["engine_version"]) == (engine, "7")
    assert offer["image"] == urns.image("s3aas", "1.2.3", file)
    assert offer["default"] is True
    assert offer["deprecated"] is False


def test_the_plugin_is_the_wheel_with_what_its_host_needs():
    [plugin] = resources(version="9.9.9")["$metapaas.types"].values()

    assert plugin["package"] == "exordos-paas-storage[metapaas]"
    assert (plugin["version"], plugin["index_url"]) == (__version__, URL)
    assert (plugin["name"], plugin["element_name"]) == (place.SLUG, place.ELEMENT)
    assert plugin["project_id"] == str(identity.METAPAAS_PROJECT)


def test_the_example_declares_every_kind_that_tenants_can():
    prefix = f"${place.ELEMENT}.types.{place.SLUG}."
    kinds = {kind.removeprefix(prefix) for kind in resources("example_s3")}

    assert set(declared.AGENT_MODELS) - {"versions"} <= kinds


def test_no_user_of_the_example_has_the_instances_default_policies():
    prefix = f"${place.ELEMENT}.types.{place.SLUG}.instances.users"
    found = resources("example_s3")
    attached = {
        one["user"].partition(".$")[2].partition(":")[0]
        for one in found[f"{prefix}.policies"].values()
    }

    assert attached == found[prefix].keys()
    assert [one.get("policies", []) for one in found[prefix].values()] == [[], []]


def test_an_urn_is_the_one_that_the_platform_computes():
    """The value is what exordos 3.2.29 computed."""
    computed = "urn:images:edc5b12c-b2b7-55e9-8acb-f694be1cbbd9"

    assert urns.image("s3aas", "0.1.0", "exordos-metapaas-s3-dp.raw.zst") == computed


def test_a_shipped_version_keeps_its_engine_and_image(tmp_path):
    old, new = offered(
        tmp_path,
        '- {name: "0.0.1", engine: minio, engine_version: "7", element: "0.1.0",'
        ' deprecated: true}\n- name: "0.0.2"\n',
    )

    assert (old.engine.name, old.deprecated, old.default) == ("minio", True, False)
    assert old.image == urns.image("s3aas", "0.1.0", image_files.FILE)
    assert (new.engine.version, new.default) == ("1.0.2", True)
    assert new.image == urns.image("s3aas", "0.2.0", image_files.FILE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one"),
        ("name: x", "must be a list"),
        ("- {name: 0.1}", "no name"),
        ('- {name: "1", engin: minio}', "no more than"),
        ('- {name: "1", engine: minio}', "or none"),
        ('- {name: "1", engine: minio, engine_version: 7, element: "1"}', "in quotes"),
        ('- {name: "1"}\n- {name: "2"}', "only one"),
        ('- {name: "1", deprecated: true}', "can't be deprecated"),
        (
            '- {name: "1", engine: minio, engine_version: "7", element: "1.0.0"}\n'
            '- {name: "1"}',
            "twice",
        ),
        ("- [", "can't be read"),
    ],
)
def test_a_wrong_listing_of_versions_is_refused(tmp_path, text, said):
    with pytest.raises(errors.SetupError, match=said):
        offered(tmp_path, text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version", "1.2"], "version: '1.2' is none"),
        (["--version", "1.2.3\nname: x"], "is none"),
        (["--engine", "ceph"], "there are rustfs and minio"),
        (["--engine-version", "1"], "say of which engine"),
        (["--engine", "minio", "--engine-version", "a b"], "engine version"),
        (["--index-url", "ftp://host/"], "no http or https URL"),
        (["--index-url", "http://host:x/"], "no URL"),
        (["--index-url", 'http://host/"'], "blank or a quote"),
        (["--repository", "file:///srv"], "repository: "),
    ],
)
def test_a_bad_argument_is_told_in_one_line(tmp_path, arguments, said):
    done = run("manifests", "--output", tmp_path, *arguments)

    assert done.exit_code == 1
    assert said in done.output
    assert done.output.count("\n") == 1 or "\n" in "".join(arguments)
    assert not list(tmp_path.iterdir())


def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path):
    address = "http://user:hidden@host/simple/"
    done = run("manifests", "--output", tmp_path, "--index-url", address)

    assert done.exit_code == 1
    assert "must not have a user" in done.output
    assert "hidden" not in done.output


@pytest.mark.parametrize(
    "where",
    ["http://host:1", "http://host:1/", "http://host:1/exordos-elements/"],
)
def test_the_package_index_lies_beside_the_elements(where):
    assert release.index("", where) == "http://host:1/simple/"
    assert release.index(URL, where) == URL
    assert release.index("", "") == ""


def test_the_template_for_exordos_build_leaves_it_what_it_knows(tmp_path):
    done = run("manifests", "--for-exordos-build", "--output", tmp_path)

    text = (tmp_path / "manifests" / "s3aas.yaml.j2").read_text()
    found = yaml.safe_load(text)
    [offer] = found["resources"]["$s3aas.types.s3.versions"].values()
    assert done.exit_code == 0, done.output
    assert found["version"] == "{{ version }}"
    assert offer["image"] == "{{ images.exordos_metapaas_s3_dp }}"
    assert text.count("{{") == 2
