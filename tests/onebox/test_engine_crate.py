"""RustFS from its crate: the build's course, by a cargo of the test and by a real one.

The real build takes an hour, so what it is made of is tried in parts.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import click.testing
import pytest

from exordos_paas_storage.domain import errors
from exordos_paas_storage.onebox import (
    engine_build,
    engine_cache,
    engine_commands,
    engine_crate,
    engines,
)
from tests import box
from tests import engines as real_engines

CRATE = b"the crate's archive"
PIN = hashlib.sha256(CRATE).hexdigest()
INSTALL = ("engine", "install", "rustfs", "--from", "crate")
TOOLS = ("protoc", "mold", "cc")
# What the stand-in itself and the flow around it call.
USUAL = ("sh", "cat", "env", "mkdir", "nice", "chmod", "sleep", "printf", "touch")
BAR = "    Building [=====>        ] {}/812: serde, tokio\\r"

CARGO = """#!/bin/sh
cd {folder}
case "$1" in --version) cat version; exit ;; esac
test "$1" = "+nightly" && shift
case "$1" in --version) cat nightly 2>/dev/null; exit ;; esac
echo "$@" > arguments
env > environment
nice > niceness
echo '    Updating crates.io index'
echo ' Downloading crates ...'
echo '  Downloaded rustfs v1.0.1'
test -f hang && {{ sleep 600 & echo $! > pids; echo $$ >> pids; touch hangs; wait; }}
echo '  Installing rustfs v1.0.1'
echo '  Downloaded serde v1.0.0'
echo '   Compiling serde v1.0.0'
printf '{first}'
cat failure 2>/dev/null && exit 101
printf '{last}'
while [ $# -gt 1 ]; do test "$1" = --root && root=$2; shift; done
mkdir -p "$root/bin" "$CARGO_TARGET_DIR/release"
cat program > "$root/bin/rustfs"
chmod +x "$root/bin/rustfs"
echo '    Finished `release` profile [optimized] target(s) in 0.70s'
"""


@pytest.fixture
def tools(tmp_path):
    """A folder with all the tools, the only one on the `PATH`; its `cargo` builds
    nothing: what it says and makes are files."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in USUAL:
        (folder / name).symlink_to(shutil.which(name))
    for name in TOOLS:
        script(folder / name, "#!/bin/sh\n")
    script(folder / "pkg-config", "#!/bin/sh\necho 3.0.13\n")
    bars = {"first": BAR.format(1), "last": BAR.format(812)}
    script(folder / "cargo", CARGO.format(folder=folder, **bars))
    (folder / "version").write_text("cargo 1.99.0 (abc 2026-09-01)\n")
    (folder / "program").write_text("#!/bin/sh\necho rustfs 1.0.1\n")
    archive = folder / "home" / "registry" / "cache" / "index" / "rustfs-1.0.1.crate"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(CRATE)
    return folder


@pytest.fixture
def cache(tmp_path):
    return engine_cache.EngineCache(tmp_path / "cache")


@pytest.fixture
def install(cache, tools):
    def run(**values):
        defaults = {"environ": environ(tools), "pin": PIN, "need_bytes": 0}
        return engine_crate.install(cache, **{**defaults, **values})

    return run


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def environ(tools):
    return {
        "PATH": str(tools),
        "HOME": "/nonexistent",
        "CARGO_HOME": str(tools / "home"),
    }


def refusal(call):
    with pytest.raises(errors.SetupError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def left(cache):
    if not cache.path.exists():
        return []
    return sorted(entry.name for entry in cache.path.iterdir() if entry.name != ".lock")


def test_a_build_is_installed_with_its_provenance_and_leaves_nothing(
    install, cache, tools
):
    path = install()

    assert path == cache.find("rustfs", "1.0.1")
    assert left(cache) == ["rustfs-1.0.1"]
    assert json.loads((path.parent / "provenance.json").read_text()) == {
        "from": "crates.io",
        "crate": "rustfs 1.0.1",
        "sha256": PIN,
        "built_with": "cargo 1.99.0 (abc 2026-09-01)",
    }


def test_cargo_is_asked_for_the_pinned_crate_alone_and_politely(install, cache, tools):
    install()

    arguments = (tools / "arguments").read_text().split()
    assert arguments[:5] == ["install", "rustfs", "--version", "1.0.1", "--locked"]
    assert {"--ignore-rust-version", "--no-default-features"} <= set(arguments)
    assert (tools / "niceness").read_text().strip() == "19"
    told = dict(
        line.split("=", 1) for line in (tools / "environment").read_text().splitlines()
    )
    assert told["CARGO_PROFILE_RELEASE_LTO"] == "off"
    assert "fuse-ld=mold" in told["RUSTFLAGS"]
    for name in ("CARGO_TARGET_DIR", "TMPDIR"):
        assert told[name].startswith(f"{cache.path}/.part-")


def test_what_would_lead_the_build_elsewhere_is_unset(install, tools):
    names = ("CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS")
    install(environ={**environ(tools), **dict.fromkeys(names, "x")})

    told = (tools / "environment").read_text()
    assert not any(f"{name}=" in told for name in names)


def test_progress_is_cargos_own_count(install):
    seen = []

    install(progress=lambda *values: seen.append(values))

    assert seen == [
        ("fetching crates", 1, None),
        ("fetching crates", 2, None),
        ("building RustFS, crates", 1, 812),
        ("building RustFS, crates", 812, 812),
    ]


def test_it_is_built_once(install, tools):
    path = install()
    (tools / "arguments").unlink()

    assert install(environ={}) == path
    assert not (tools / "arguments").exists()


@pytest.mark.parametrize(
    ("gone", "named", "package"),
    [
        ("protoc", "protoc", "protobuf-compiler"),
        ("mold", "mold", "mold"),
        ("cc", "cc", "gcc"),
        ("pkg-config", "pkg-config", "pkg-config"),
    ],
)
def test_a_missing_tool_is_named_with_its_package(install, tools, gone, named, package):
    (tools / gone).unlink()

    text = refusal(install)

    assert f"needs {named}: apt-get install {package}" in text
    assert not (tools / "arguments").exists()


def test_missing_headers_are_named_with_their_package(install, tools):
    script(tools / "pkg-config", "#!/bin/sh\nexit 1\n")

    assert "OpenSSL's headers: apt-get install libssl-dev" in refusal(install)


def test_all_that_is_missing_is_said_at_once(install, tools):
    for name in ("cargo", "protoc", "mold"):
        (tools / name).unlink()

    text = refusal(install)

    assert "needs protoc, mold, Rust 1.98 or a nightly" in text
    assert "apt-get install protobuf-compiler mold, then rustup toolchain" in text


@pytest.mark.parametrize(
    ("usual", "nightly", "expected"),
    [
        ("1.98.0 (a 2026-07-01)", None, []),
        ("2.0.0", None, []),
        ("1.97.9", "1.97.0-nightly (b 2026-05-15)", ["+nightly"]),
        ("1.95.0", "1.99.0-nightly", ["+nightly"]),
        ("1.95.0", "1.96.0-nightly", None),
        ("1.95.0", None, None),
    ],
)
def test_which_cargo_builds(tools, usual, nightly, expected):
    (tools / "version").write_text(f"cargo {usual}\n")
    if nightly:
        (tools / "nightly").write_text(f"cargo {nightly}\n")

    if expected is None:
        assert "Rust 1.98" in refusal(lambda: engine_crate.find_tools(environ(tools)))
    else:
        found = engine_crate.find_tools(environ(tools))
        assert found == [str(tools / "cargo"), *expected]


def test_the_nightly_builds_where_the_usual_one_is_old(install, tools):
    (tools / "version").write_text("cargo 1.95.0\n")
    (tools / "nightly").write_text("cargo 1.97.0-nightly\n")

    told = json.loads((install().parent / "provenance.json").read_text())

    assert told["built_with"] == "cargo 1.97.0-nightly"


def test_too_little_space_is_refused_before_the_build(install, tools):
    assert "MiB free and needs" in refusal(lambda: install(need_bytes=1 << 60))
    assert not (tools / "arguments").exists()


def test_a_failed_build_says_its_first_error_and_keeps_its_log(install, cache, tools):
    (tools / "failure").write_text(
        "error: failed to run custom build command for `prost-build`\n"
        "  process didn't exit successfully\n"
        "error: failed to compile `rustfs v1.0.1`\n"
        "To reuse those artifacts set CARGO_TARGET_DIR\n"
    )

    text = refusal(install)

    log = cache.path / "rustfs-1.0.1.log"
    assert "(error: failed to run custom build command for `prost-build`)" in text
    assert str(log) in text
    assert "Compiling serde" in log.read_text()
    assert "To reuse those artifacts" in log.read_text()
    assert left(cache) == [log.name]
    assert cache.entries() == []


@pytest.mark.parametrize("content", [b"another crate", None])
def test_another_crate_than_the_pinned_one_is_not_built(install, cache, tools, content):
    (archive,) = (tools / "home").rglob("*.crate")
    archive.unlink()
    if content:
        archive.write_bytes(content)
    seen = []

    text = refusal(lambda: install(progress=lambda *values: seen.append(values)))

    assert "pinned sum" in text
    assert not [what for what, _, _ in seen if what.startswith("building")]
    assert cache.entries() == []


@pytest.mark.parametrize(
    "program",
    ["#!/bin/sh\necho rustfs 1.0.0\n", "#!/bin/sh\nexit 1\n", "\x7fELF", "#!/bin/sh\n"],
)
def test_what_was_built_must_run_and_say_its_version(install, cache, tools, program):
    (tools / "program").write_text(program)

    assert "does not say that it is 1.0.1" in refusal(install)

    assert cache.entries() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_the_build_and_leaves_nothing(cache, tools, tmp_path, number):
    (tools / "hang").touch()
    command = pathlib.Path(sys.executable).with_name("exordos-storage")
    settings = {**environ(tools), "EXORDOS_STORAGE_CACHE": str(cache.path.parent)}
    log = tmp_path / "log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            # Where tests run in the background, SIGINT may be ignored.
            ["env", f"--default-signal={number.name}", command, *INSTALL],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        box.wait_until(lambda: (tools / "hangs").exists() or started.poll() is not None)
        assert started.poll() is None, log.read_text()
        pids = [int(pid) for pid in (tools / "pids").read_text().split()]

        started.send_signal(number)

        assert started.wait(box.ACTIVE_S) != 0
    finally:
        started.kill()
        started.wait()
    box.wait_until(lambda: not any(map(box.runs, pids)))
    assert left(cache) == []
    assert "Traceback" not in log.read_text()


# The command


@pytest.fixture
def run(cache, tools, monkeypatch):
    for name, value in environ(tools).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EXORDOS_STORAGE_CACHE", str(cache.path.parent))
    runner = click.testing.CliRunner()
    return lambda *words: runner.invoke(engine_commands.engine, words)


def test_the_command_builds_where_it_is_told_to(run, tools):
    (tools / "mold").unlink()

    answer = run("install", "rustfs", "--from", "crate")

    assert isinstance(answer.exception, errors.SetupError)
    assert "apt-get install mold" in str(answer.exception)


def test_minio_has_one_source(run):
    answer = run("install", "minio", "--from", "crate")

    assert answer.exit_code == 2
    assert "--from is for rustfs" in answer.output


def test_a_source_is_one_of_two(run):
    assert run("install", "rustfs", "--from", "apt").exit_code == 2


def test_a_rustfs_that_is_there_is_neither_fetched_nor_built(run, install):
    path = install()

    for words in ([], ["--from", "release"], ["--from", "crate"]):
        answer = run("install", "rustfs", *words)
        assert answer.output == f"rustfs {engines.VERSIONS['rustfs']} {path}\n"


def test_without_a_terminal_a_line_a_minute_says_how_far_it_is():
    now, said = [0.0], []
    lines = engine_commands.Lines(said.append, clock=lambda: now[0])

    for now[0] in range(0, 150, 10):
        lines("building RustFS, crates", int(now[0]), 812)
    now[0] = 500.0
    lines("fetching crates", 1, None)
    now[0] = 600.0
    lines("fetching crates", 7, None)

    assert said == [
        "building RustFS, crates …",
        "building RustFS, crates: 60 of 812, 1 min",
        "building RustFS, crates: 120 of 812, 2 min",
        "fetching crates …",
        "fetching crates: 7, 1 min",
    ]


# Real parts


def test_the_rustfs_of_this_machine_says_its_version():
    binary = real_engines.binary("rustfs")
    if binary is None:
        pytest.skip("no RustFS on this machine")

    engine_crate.check_binary(binary)


def has_tools():
    try:
        return bool(engine_crate.find_tools(os.environ))
    except errors.SetupError:
        return False


@pytest.mark.skipif(not has_tools(), reason="no Rust to build with on this machine")
def test_a_real_cargo_builds_with_these_settings_and_its_bar_is_understood(tmp_path):
    (tmp_path / "one" / "src").mkdir(parents=True)
    (tmp_path / "one" / "src" / "main.rs").write_text(
        '#[cfg(not(tokio_unstable))] compile_error!("flag");\n'
        'fn main() { println!("rustfs 1.0.1"); }\n'
    )
    (tmp_path / "one" / "Cargo.toml").write_text(
        '[package]\nname = "rustfs"\nversion = "1.0.1"\nedition = "2021"\n'
        'rust-version = "1.999"\n[features]\ndefault = ["broken"]\nbroken = []\n'
    )
    seen = []
    build = engine_crate._Build(
        tmp_path, os.environ, PIN, lambda *values: seen.append(values)
    )
    # As for the released crate, but from a folder, and without its sum.
    command = [
        *engine_crate.find_tools(os.environ),
        "install",
        "--path",
        str(tmp_path / "one"),
    ]
    build._check_source = lambda: seen.append("checked")
    (tmp_path / "tmp").mkdir()

    engine_build.run(
        [
            *("nice", "-n", "19", *command, "--ignore-rust-version"),
            *("--no-default-features", "--root", str(tmp_path / "root")),
        ],
        build._environ,
        "it failed",
        build._heard,
    )

    engine_crate.check_binary(tmp_path / "root" / "bin" / "rustfs")
    assert seen[0] == "checked"
    assert ("building RustFS, crates", 0, 1) in seen
    log = (tmp_path / "log").read_text()
    assert re.search("Finished .*optimized", log)


def test_an_install_leaves_the_signals_as_they_were(tmp_path, monkeypatch):
    """What runs in the same process afterwards is not to end by our handlers."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    monkeypatch.setenv("EXORDOS_STORAGE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    click.testing.CliRunner().invoke(
        engine_commands.engine, ["install", "rustfs", "--from", "crate"]
    )

    assert [signal.getsignal(number) for number in numbers] == before
