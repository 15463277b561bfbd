"""What is built of the element: the image that goes in, the index, the repository."""

import functools
import hashlib
import json
import uuid
import zipfile

import pytest
import yaml
from click.testing import CliRunner
from s3aas_element import (
    __main__,
    image_files,
    package_index,
    repository,
    urns,
    versions,
    wheel,
)

from exordos_paas_storage.domain import errors


def run(*arguments):
    return CliRunner().invoke(__main__.main, [str(one) for one in arguments])


def test_the_engine_is_that_of_the_built_image(tmp_path):
    an_image(tmp_path, "minio", "7")
    done = run("manifests", "--output", tmp_path)

    found = yaml.safe_load((tmp_path / "manifests" / "s3aas.yaml").read_text())
    [offer] = found["resources"]["$s3aas.types.s3.versions"].values()
    assert done.exit_code == 0, done.output
    assert (offer["engine"], offer["engine_version"]) == ("minio", "7")


def test_without_an_image_build_stops(tmp_path):
    done = run("build", "--output", tmp_path)

    assert done.exit_code == 1
    assert "IMAGE=none" in done.output
    assert not list(tmp_path.iterdir())


def test_a_damaged_image_stops_the_build(tmp_path):
    an_image(tmp_path, "minio", "7").write_bytes(b"cut short")
    done = run("build", "--output", tmp_path)

    assert done.exit_code == 1
    assert "not what its checksum says" in done.output


def test_another_engine_than_the_images_stops_the_build(tmp_path):
    an_image(tmp_path, "minio", "7")
    done = run("build", "--output", tmp_path, "--engine", "rustfs")

    assert done.exit_code == 1
    assert "the image has minio 7" in done.output


@pytest.fixture
def build(tmp_path, monkeypatch):
    """`make build` of a release whose image has an engine, with a wheel at hand."""
    made = wheel.read(packed(tmp_path / "dist", members()))
    monkeypatch.setattr(wheel, "build", lambda folder: made)
    (tmp_path / "openapi.json").touch()

    def build(version, engine="minio", engine_version="7"):
        an_image(tmp_path, engine, engine_version)
        return run(
            *("build", "--output", tmp_path, "--version", version),
            *("--openapi", tmp_path / "openapi.json"),
        )

    return build


def list_versions(monkeypatch, path, engine):
    """Have 0.0.1 stand as shipped with 0.1.0 and an engine, and 0.0.2 as open."""
    path.write_text(
        f'- {{name: "0.0.1", engine: {engine}, engine_version: "7", element: "0.1.0"}}'
        '\n- name: "0.0.2"\n'
    )
    listed = functools.partial(versions.on_offer, listing=path)
    monkeypatch.setattr(versions, "on_offer", listed)


@pytest.mark.parametrize("engine", [("rustfs", "1.0.1"), ("minio", "8")])
def test_a_shipped_version_is_not_built_with_another_engine(build, tmp_path, engine):
    """Platforms that have it would refuse the release, or change it without a word."""
    for number in ("0.9.0", "0.10.0", "0.10.0-rc.1"):
        assert build(number).exit_code == 0
    before = sorted(tmp_path.rglob("*"))
    done = build("0.11.0", *engine)

    assert done.exit_code == 1
    missing = '- name: "0.0.1"\n  engine: minio\n  engine_version: "7"\n'
    assert f'{missing}  element: "0.10.0"\n' in done.output
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_version_may_have_another_engine(build, tmp_path, monkeypatch):
    build("0.1.0")
    list_versions(monkeypatch, tmp_path / "versions.yaml", "minio")
    for number in ("0.1.1", "0.1.2"):
        done = build(number, "rustfs", "1.0.1")
        assert done.exit_code == 0, done.output


def test_what_a_listing_says_of_a_shipped_version_must_be_so(
    build, tmp_path, monkeypatch
):
    build("0.1.0")
    for number, engine in (("0.1.1", "minio"), ("0.1.2", "rustfs")):
        list_versions(monkeypatch, tmp_path / "versions.yaml", engine)
        done = build(number, "rustfs", "1.0.1")

    assert "s3aas 0.1.0 has minio 7 as version 0.0.1" in done.output


def test_a_release_that_is_built_anew_may_have_another_engine(build):
    build("0.1.0")
    done = build("0.1.0", "rustfs", "1.0.1")

    assert done.exit_code == 0, done.output


def test_a_release_is_not_served_before_its_wheel(build, tmp_path):
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "simple").touch()
    done = build("0.1.0")

    assert done.exit_code == 1
    assert "simple can't be written" in done.output
    assert not (tmp_path / "repository" / repository.ELEMENTS).exists()


def test_what_can_not_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "manifests").touch()
    done = run("manifests", "--output", tmp_path)

    assert done.exit_code == 1
    said = "File exists: mend that, and run the same again"
    assert done.output == f"Error: {tmp_path / 'manifests'}: {said}\n"


def an_image(folder, engine, version):
    """What `make image` leaves, but for its content."""
    file = folder / image_files.FILE
    file.write_bytes(b"a disk")
    digest = hashlib.sha256(b"a disk").hexdigest()
    (folder / image_files.CHECKSUM).write_text(f"{digest}  {file.name}\n")
    about = {"engine": {"name": engine, "version": version}}
    (folder / image_files.ABOUT).write_text(json.dumps(about))
    return file


def a_wheel(folder, version="1.2.3", content=b"a wheel"):
    folder.mkdir(exist_ok=True)
    file = folder / f"exordos_paas_storage-{version}-py3-none-any.whl"
    file.write_bytes(content)
    return wheel.read(file)


def members(**other):
    """What a wheel holds; `other` are in place of those, by `WHEEL` and so on."""
    folder = "exordos_paas_storage-1.2.3.dist-info"
    held = {
        "METADATA": b"Metadata-Version: 2.4\nName: a\nRequires-Dist: click<9\n\nMore.",
        "WHEEL": b"Generator: hatchling 1.27.0\n",
        "RECORD": b"of the file WHEEL as it is\n",
        **other,
    }
    return {
        "exordos_paas_storage/__init__.py": b"",
        "exordos_paas_storage/a.py": b"a = 1",
        **{f"{folder}/{name}": content for name, content in held.items()},
    }


def packed(folder, held, method=zipfile.ZIP_DEFLATED):
    made = a_wheel(folder)
    with zipfile.ZipFile(made.file, "w", method) as file:
        for name, content in held.items():
            file.writestr(name, content)
    return made.file


def test_an_index_keeps_what_is_there(tmp_path):
    index = tmp_path / "simple"
    (index / "other").mkdir(parents=True)
    (index / "other" / "other-1-py3-none-any.whl").touch()
    for version in ("1.2.3", "1.2.4"):
        package_index.publish(a_wheel(tmp_path / "dist", version), index)

    top = (index / "index.html").read_text()
    page = (index / "exordos-paas-storage" / "index.html").read_text()
    assert 'href="exordos-paas-storage/"' in top
    assert 'href="other/"' in top
    assert page.count("#sha256=") == 2


def test_a_published_wheel_is_not_replaced_by_chance(tmp_path):
    index = tmp_path / "simple"
    package_index.publish(a_wheel(tmp_path / "dist"), index)
    package_index.publish(a_wheel(tmp_path / "dist"), index)
    other = a_wheel(tmp_path / "dist", content=b"another")

    with pytest.raises(errors.SetupError, match="give a new release a new version"):
        package_index.publish(other, index)
    path = package_index.publish(other, index, replace=True)
    assert path.read_bytes() == b"another"


def test_a_foreign_wheel_is_refused(tmp_path):
    with pytest.raises(errors.SetupError, match="no wheel of exordos-paas-storage"):
        wheel.read(tmp_path / "other-1.0-py3-none-any.whl")


def test_a_repository_keeps_other_releases_and_replaces_its_own(tmp_path):
    image = an_image(tmp_path, "minio", "7")
    for version, text in (("1.0.0", "old"), ("2.0.0", "b"), ("1.0.0", "new")):
        element = repository.Element("s3aas", version, text, images=[image])
        folder = repository.write([element], tmp_path / "repository")

    listed = json.loads((folder / "inventory.json").read_text())
    assert set(listed["elements"]["s3aas"]) == {"1.0.0", "2.0.0"}
    assert (folder / "s3aas/1.0.0/manifests/s3aas.yaml").read_text() == "new"
    assert sorted(each.name for each in (folder / "s3aas").iterdir()) == [
        "1.0.0",
        "2.0.0",
    ]


def test_a_release_with_an_image_is_not_replaced_by_one_without(tmp_path):
    """Machines are made from it, as long as there are instances."""
    image = an_image(tmp_path, "minio", "7")
    with_image = repository.Element("s3aas", "1.0.0", "old", images=[image])
    folder = repository.write([with_image], tmp_path / "repository")

    with pytest.raises(errors.SetupError, match="has the node image"):
        repository.write(
            [
                repository.Element("example_s3", "1.0.0", "new"),
                repository.Element("s3aas", "1.0.0", "new"),
            ],
            tmp_path / "repository",
        )

    assert (folder / "s3aas/1.0.0/images" / image.name).read_bytes() == b"a disk"
    assert not (folder / "example_s3").exists()


def test_a_build_without_an_image_leaves_one_with_an_image_as_it_is(
    tmp_path, monkeypatch
):
    image = an_image(tmp_path, "minio", "7")
    element = repository.Element("s3aas", "1.0.0", "old", images=[image])
    repository.write([element], tmp_path / "repository")
    monkeypatch.setattr(wheel, "build", lambda folder: pytest.fail("it was begun"))
    (tmp_path / "openapi.json").touch()
    done = run(
        *("build", "--output", tmp_path, "--version", "1.0.0", "--image", "none"),
        *("--openapi", tmp_path / "openapi.json"),
    )

    assert done.exit_code == 1
    assert "has the node image" in done.output
    assert not (tmp_path / "manifests").exists()


def test_a_build_says_what_it_means_to_have_no_image(tmp_path, monkeypatch):
    made = wheel.read(packed(tmp_path / "dist", members()))
    monkeypatch.setattr(wheel, "build", lambda folder: made)
    (tmp_path / "openapi.json").touch()
    done = run(
        *("build", "--output", tmp_path, "--version", "1.0.0", "--image", "none"),
        *("--openapi", tmp_path / "openapi.json"),
    )

    assert done.exit_code == 0, done.output
    assert "read 1.0.0 never reads it again" in done.output


def test_an_inventory_tells_releases_of_one_version_apart(tmp_path):
    """By what Core and MetaPaaS never read again, whenever it was made."""
    image, made = an_image(tmp_path, "minio", "7"), packed(tmp_path / "dist", members())
    element = repository.Element("s3aas", "1.0.0", "", images=[image], wheels=[made])
    found = repository.inventory(element)
    image.touch()
    again = repository.inventory(element)
    packed(tmp_path / "dist", {**members(), "exordos_paas_storage/a.py": b"a = 2"})
    other = repository.inventory(element)

    assert found == again
    assert found["sha256"] == {image.name: hashlib.sha256(b"a disk").hexdigest()}
    assert other["sha256"] == found["sha256"]
    assert list(found["wheels"]) == [made.name]
    assert other["wheels"] != found["wheels"]


def test_what_is_not_installed_makes_no_other_release(tmp_path):
    """As the API's document."""
    document = tmp_path / "openapi.json"
    element = repository.Element("s3aas", "1.0.0", "", artifacts=[document])
    found = []
    for text in ("{}", '{"openapi": "3.0.3"}'):
        document.write_text(text)
        found.append(repository.inventory(element))

    assert found[0] == found[1]


def test_a_wheel_is_the_same_whoever_built_it(tmp_path):
    """Another hatchling, on a machine with another zlib."""
    one = packed(tmp_path / "one", members())
    later = members(
        METADATA=b"Metadata-Version: 2.5\nName: a\nRequires-Dist: click<9\n\nMore.",
        WHEEL=b"Generator: hatchling 1.33.0\n",
        RECORD=b"of the file WHEEL as it is now\n",
    )
    mixed = dict(reversed(later.items()))
    two = packed(tmp_path / "two", mixed, zipfile.ZIP_STORED)

    assert wheel.digest(one) == wheel.digest(two)


@pytest.mark.parametrize(
    "other",
    [
        members() | {"exordos_paas_storage/a.py": b"a = 2"},
        members() | {"exordos_paas_storage/b.py": b""},
        members(METADATA=b"Metadata-Version: 2.4\nName: a\n\nMore."),
    ],
)
def test_a_wheel_with_another_content_is_another(tmp_path, other):
    one = packed(tmp_path / "one", members())

    assert wheel.digest(one) != wheel.digest(packed(tmp_path / "two", other))


def test_what_can_not_be_opened_is_no_wheel(tmp_path):
    with pytest.raises(errors.SetupError, match="is no wheel"):
        wheel.digest(a_wheel(tmp_path / "dist").file)


def test_an_inventory_lists_each_file_below_its_id(tmp_path):
    image = an_image(tmp_path, "minio", "7")
    element = repository.Element("s3aas", "1.0.0", "", images=[image])
    found = repository.inventory(element)

    [(identifier, file)] = found["index"]["images"].items()
    assert file == image.name
    assert f"urn:images:{identifier}" == urns.image("s3aas", "1.0.0", file)
    assert set(found["index"]) == set(urns.CATEGORIES)
    assert uuid.UUID(identifier).version == 5
