"""RustFS from its source: `cargo install` of the released crate, the result checked.

For a machine that its release archives can't be fetched to, or are not made for. It
takes an hour or so, most of it in a few crates, and links with mold, as the usual
linker takes more memory than many machines have.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox import engine_build
from exordos_paas_storage.onebox.engine_cache import EngineCache, Progress, silent

VERSION = "1.0.1"
# sha256 of the crate's archive, as the index of crates.io has it.
PIN = "82c6c7d281e28b34e6e6e263285916e46bdb062a2d6629593314809022f46e9f"
NEED_BYTES = 6 << 30
# The crates ask for Rust 1.98.1; a nightly of 1.97 builds them too (done).
STABLE_AT_LEAST, NIGHTLY_AT_LEAST = (1, 98), (1, 97)

# Program or pkg-config module -> the Debian package that has it.
_PACKAGES = {
    "cc": "gcc",
    "protoc": "protobuf-compiler",
    "pkg-config": "pkg-config",
    "mold": "mold",
}
_OPENSSL_PACKAGE = "libssl-dev"
_BUILDING = re.compile(r"Building \[[=> ]*\] (\d+)/(\d+)")
_SETTINGS = {
    # Little optimisation and no debug information: else it takes several hours, and
    # more memory and disk than the checks here ask for.
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    "CARGO_PROFILE_RELEASE_DEBUG": "0",
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "64",
    "CARGO_PROFILE_RELEASE_STRIP": "true",
    "RUSTFLAGS": "--cfg tokio_unstable -C link-arg=-fuse-ld=mold",
    # Its bar says how many crates there are in all.
    "CARGO_TERM_PROGRESS_WHEN": "always",
    "CARGO_TERM_PROGRESS_WIDTH": "100",
    "CARGO_TERM_COLOR": "never",
}
# What would send the result elsewhere, or take the place of the flags above.
_UNSET = ("CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS")


def install(
    cache: EngineCache,
    *,
    environ: Mapping[str, str],
    pin: str = PIN,
    need_bytes: int = NEED_BYTES,
    progress: Progress = silent,
) -> Path:
    """Build the pinned RustFS into the cache; done if it is there.

    Args:
        environ: the environment of the build; its `PATH` has the tools, and what it
            says of proxies and of cargo's home holds.
        pin: sha256 that the crate's archive must have.

    Raises:
        SetupError: a tool is missing, the build failed (its log is named), what came
            is not the pinned source, what was built does not run or is another
            version, or the disk is full.
    """
    found = cache.find(capabilities.RUSTFS, VERSION)
    if found:
        return found
    cargo = find_tools(environ)
    with cache.installing(need_bytes) as part:
        found = cache.find(capabilities.RUSTFS, VERSION)
        if found:
            return found
        build = _Build(part, environ, pin, progress)
        try:
            binary = build.run(cargo)
        except errors.SetupError as error:
            raise build.with_log(error, cache) from None
        check_binary(binary)
        return cache.put(
            capabilities.RUSTFS,
            VERSION,
            binary,
            {
                "from": "crates.io",
                "crate": f"rustfs {VERSION}",
                "sha256": pin,
                "built_with": engine_build.ask([*cargo, "--version"], environ).strip(),
            },
        )


def find_tools(environ: Mapping[str, str]) -> list[str]:
    """The `cargo` to build with, with the toolchain it is to use.

    Raises:
        SetupError: that, or another tool, is missing; it says how to get them.
    """
    path = environ.get("PATH", os.defpath)
    missing = {
        tool: package
        for tool, package in _PACKAGES.items()
        if shutil.which(tool, path=path) is None
    }
    if "pkg-config" not in missing and not _has_openssl(environ):
        missing["OpenSSL's headers"] = _OPENSSL_PACKAGE
    cargo = _find_cargo(environ)
    remedies = []
    if missing:
        remedies.append(f"apt-get install {' '.join(missing.values())}")
    if cargo is None:
        missing["Rust 1.98 or a nightly from 1.97 on"] = ""
        remedies.append("rustup toolchain install nightly (https://rustup.rs)")
    if cargo is None or missing:
        raise errors.SetupError(
            f"building RustFS needs {', '.join(missing)}: {', then '.join(remedies)}"
        )
    return cargo


def check_binary(binary: Path) -> None:
    """Check that a binary runs here and is the version that was asked for.

    Raises:
        SetupError: it does not, or is not.
    """
    environ = {"PATH": os.defpath, "HOME": "/nonexistent"}
    answer = engine_build.ask([str(binary), "--version"], environ)
    if answer.split()[:2] != ["rustfs", VERSION]:
        said = answer.strip().splitlines()
        raise errors.SetupError(
            f"the RustFS that was built does not say that it is {VERSION}, but"
            f" {said[0][:80] if said else 'nothing'}: report this, with your"
            f" machine's {platform.machine()}"
        )


class _Build:
    """One run of cargo in a folder that is removed afterwards."""

    def __init__(
        self, part: Path, environ: Mapping[str, str], pin: str, progress: Progress
    ) -> None:
        self._part, self._pin, self._progress = part, pin, progress
        self._log = part / "log"
        self._fetched = 0
        home = environ.get("CARGO_HOME") or f"{environ.get('HOME', '')}/.cargo"
        self._archives = Path(home) / "registry" / "cache"
        kept = {name: value for name, value in environ.items() if name not in _UNSET}
        folders = {"CARGO_TARGET_DIR": "target", "TMPDIR": "tmp"}
        self._environ = {
            **kept,
            **_SETTINGS,
            **{name: str(part / folder) for name, folder in folders.items()},
        }

    def run(self, cargo: list[str]) -> Path:
        """Build; the binary."""
        (self._part / "tmp").mkdir()
        self._log.touch()
        command = [*cargo, "install", "rustfs", "--version", VERSION, "--locked"]
        options = ["--ignore-rust-version", "--no-default-features"]
        root = self._part / "root"
        engine_build.run(
            ["nice", "-n", "19", *command, *options, "--root", str(root)],
            self._environ,
            "RustFS could not be built",
            self._heard,
            "free some memory or disk if that ran out, and try again",
        )
        self._check_source()
        return root / "bin" / "rustfs"

    def with_log(
        self, error: errors.SetupError, cache: EngineCache
    ) -> errors.SetupError:
        """The error, naming the build's log, which is kept in the cache."""
        kept = cache.path / f"rustfs-{VERSION}.log"
        shutil.copyfile(self._log, kept)
        return errors.SetupError(f"{error}; all that it said is in {kept}")

    def _heard(self, line: str) -> bool:
        step = _BUILDING.match(line)
        if step:
            done, total = int(step[1]), int(step[2])
            self._progress("building RustFS, crates", done, total)
            return True
        with self._log.open("a") as log:
            log.write(f"{line}\n")
        if line.startswith("Downloaded "):
            self._fetched += 1
            self._progress("fetching crates", self._fetched, None)
        if line.startswith("Installing rustfs v"):
            # It has just fetched this crate, and not built anything yet.
            self._check_source()
        return line.startswith(("Compiling ", "Downloaded ", "Downloading "))

    def _check_source(self) -> None:
        """Check the crate that cargo fetched, where it keeps what it fetched.

        Raises:
            SetupError: it is not there, or another one than the pinned one.
        """
        found = sorted(self._archives.glob(f"*/rustfs-{VERSION}.crate"))
        sums = {hashlib.sha256(file.read_bytes()).hexdigest() for file in found}
        if sums != {self._pin}:
            raise errors.SetupError(
                f"what cargo fetched is not rustfs {VERSION} with the pinned sum: check"
                f" the registry that it asks, and {self._archives}"
            )


def _has_openssl(environ: Mapping[str, str]) -> bool:
    version = engine_build.ask(["pkg-config", "--modversion", "openssl"], environ)
    return bool(version.strip())


def _find_cargo(environ: Mapping[str, str]) -> list[str] | None:
    """A new enough cargo: the usual one, or else rustup's nightly."""
    # Asking must not make rustup fetch a toolchain.
    quiet = {**environ, "RUSTUP_AUTO_INSTALL": "0"}
    found = shutil.which("cargo", path=environ.get("PATH", os.defpath))
    if found is None:
        return None
    for command, least in (
        ([found], STABLE_AT_LEAST),
        ([found, "+nightly"], NIGHTLY_AT_LEAST),
    ):
        answer = engine_build.ask([*command, "--version"], quiet)
        version = re.match(r"cargo (\d+)\.(\d+)", answer)
        if version and (int(version[1]), int(version[2])) >= least:
            return command
    return None
