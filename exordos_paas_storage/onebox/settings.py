"""What every process of one box is started with."""

from __future__ import annotations

import argparse
import secrets
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from exordos_paas_storage import logs
from exordos_paas_storage.models import migrate
from exordos_paas_storage.models import secrets as model_secrets
from exordos_paas_storage.onebox import database, processes, statedir
from exordos_paas_storage.sealing import box

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """Where the state lies and which keys seal it."""

    state: statedir.StateDir
    sealing_key_file: Path

    def database_uri(self) -> str:
        """The database's address; it holds the password."""
        return database.uri(self.state)

    def token_key(self) -> str:
        """The key that signs tokens, made once."""
        made = self.state.secret_file("token-key", lambda: secrets.token_urlsafe(48))
        return made.read_text()

    def open_models(self, most: int) -> None:
        """Give this process's models their database and keys."""
        migrate.connect(self.database_uri(), most)
        self.use_keys()

    def use_keys(self) -> None:
        """Open and seal secrets by the sealing key file, once it is proved right."""
        keys = box.read_keys(self.sealing_key_file)
        model_secrets.use(box.Box(keys), str(self.sealing_key_file))

    def arguments(self) -> list[str]:
        """What `of_arguments` reads."""
        return [
            f"--state-dir={self.state.path}",
            f"--sealing-key-file={self.sealing_key_file}",
        ]


def of_arguments() -> tuple[Settings, argparse.Namespace]:
    """The settings of a child of the supervisor, which ends with it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--sealing-key-file", type=Path, required=True)
    parser.add_argument("--parent-fd", type=int, required=True)
    parser.add_argument("--port", type=int)
    found = parser.parse_args()
    logs.configure()
    processes.parent_watch(found.parent_fd)
    settings = Settings(statedir.StateDir(found.state_dir), found.sealing_key_file)
    return settings, found


def until_stopped() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
