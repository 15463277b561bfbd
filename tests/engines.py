"""Real engine processes for tests: where the binaries are, and running one."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.state import Credentials
from exordos_paas_storage.engine import admin, connect, remote, signed
from exordos_paas_storage.onebox import engine_cache, engines

START_S = 60.0


def binary(name: str) -> Path | None:
    """The executable of the engine `name`, None where this machine has none.

    EXORDOS_STORAGE_MINIO or EXORDOS_STORAGE_RUSTFS names it; otherwise it is the pinned
    version in the engine cache.
    """
    named = os.environ.get(f"EXORDOS_STORAGE_{name.upper()}")
    if named:
        return Path(named)
    return engine_cache.default(os.environ).find(name, engines.VERSIONS[name])


def available() -> list[str]:
    """The engines that tests run against: RustFS may be absent, MinIO may not."""
    return [
        name
        for name in (capabilities.MINIO, capabilities.RUSTFS)
        if name == capabilities.MINIO or binary(name)
    ]


def admin_of(name: str, url: str, pair: Credentials) -> admin.Admin:
    """The admin API of the engine `name`, as the holder of the key pair calls it."""
    engine = connect.connect(name, "", url, pair)
    assert isinstance(engine, remote.RemoteEngine)
    return engine.ADMIN(signed.SignedHttp(url), pair)


@contextlib.contextmanager
def running(
    name: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    root: Credentials | None = None,
) -> Iterator[tuple[str, Credentials]]:
    """An engine that serves until the end of the block.

    Args:
        name: `minio` or `rustfs`.
        directory: an existing directory for its data and its log.
        environment: variables over those that it gets anyway; an empty one is unset.
        root: its root key pair; a fresh one where none is given.

    Yields:
        Its address and its root key pair.
    """
    program = binary(name)
    assert program and program.exists(), f"no {name}: set EXORDOS_STORAGE_MINIO"
    root = root or Credentials("root" + secrets.token_hex(8), secrets.token_hex(20))
    address = f"127.0.0.1:{_free_port()}"
    data = directory / "data"
    data.mkdir(exist_ok=True)
    settings = _ENVIRONMENTS[name](address, data, root) | dict(environment or {})
    command = [str(program), *_arguments(name, address, data)]
    log = directory / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            # MinIO keeps a folder of its own in the home.
            env=os.environ
            | {"HOME": str(directory)}
            | {k: v for k, v in settings.items() if v},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    able = capabilities.of(name, "")
    try:
        _wait_until_ready(process, f"http://{address}{able.ready_path}", log)
        yield f"http://{address}", root
    finally:
        _stop(process, able.stop_s)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _arguments(name: str, address: str, data: Path) -> list[str]:
    if name == capabilities.RUSTFS:
        return ["server"]
    return ["server", "--address", address, "--quiet", str(data)]


def _minio(address: str, data: Path, root: Credentials) -> dict[str, str]:
    return {
        "MINIO_ROOT_USER": root.access_key,
        "MINIO_ROOT_PASSWORD": root.secret_key,
        "MINIO_KMS_SECRET_KEY": f"tests:{key()}",
        "MINIO_BROWSER": "off",
    }


def _rustfs(address: str, data: Path, root: Credentials) -> dict[str, str]:
    return {
        "RUSTFS_VOLUMES": str(data),
        "RUSTFS_ADDRESS": address,
        "RUSTFS_CONSOLE_ENABLE": "false",
        "RUSTFS_ACCESS_KEY": root.access_key,
        "RUSTFS_SECRET_KEY": root.secret_key,
        "RUSTFS_SSE_S3_MASTER_KEY": key(),
        "RUSTFS_IAM_MASTER_KEY": key(),
        "RUSTFS_TRUSTED_PROXY_ENABLED": "false",
        "RUSTFS_OBS_LOGGER_LEVEL": "warn",
    }


_ENVIRONMENTS = {capabilities.MINIO: _minio, capabilities.RUSTFS: _rustfs}


def key() -> str:
    """A fresh master key, as both engines take it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _wait_until_ready(process: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.RequestError):
                if client.get(url).status_code == 200:
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
    raise AssertionError(f"the engine did not start: {log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen, patience_s: float) -> None:
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
