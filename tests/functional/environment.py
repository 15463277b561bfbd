"""Where the platform is and who asks: the contract's environment variables."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

VARIABLES = {
    "EXORDOS_ENDPOINT": "Core's API, such as http://10.20.0.2:11010",
    "EXORDOS_USERNAME": "the platform's administrator",
    "EXORDOS_PASSWORD": "the administrator's password",
    "METAPAAS_USERNAME": "the user who owns what the tests make",
    "METAPAAS_PASSWORD": "that user's password",
    "EXORDOS_S3_CP_URL": "the service's API, such as http://metapaas-cp:8080",
}
# Beside the contract: a stock command line, what breaks machines, a database, logs.
CLI, STAND, DATABASE = "EXORDOS_CLI", "EXORDOS_STAND", "EXORDOS_DB_URL"
LOGS = "EXORDOS_LOGS"


class Incomplete(Exception):
    """A variable is missing; the message says which, and what it is for."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """One live platform.

    Attributes:
        core: URL of Core's API.
        service: URL of the API that has `/v1/types/s3/`.
        admin: name and password of who may make users and projects.
        tenant: name and password of who owns the instances.
        cli: the stock command line.
        stand: the command that breaks machines; empty on a platform of others.
        database: URL of MetaPaaS's database; empty where the tests may not look.
        logs: the folder of the platform's logs; empty where they may not.
    """

    core: str
    service: str
    admin: tuple[str, str] = dataclasses.field(repr=False)
    tenant: tuple[str, str] = dataclasses.field(repr=False)
    cli: str
    stand: str
    database: str = dataclasses.field(repr=False)
    logs: str

    def needs(self, variable: str, value: str) -> str:
        """The value of a variable that only some tests need.

        Raises:
            Incomplete: it is not set.
        """
        if not value:
            raise Incomplete(f"{variable} is not set, and this test needs it")
        return value


def read(given: Mapping[str, str] = os.environ) -> Environment:
    """What the variables say.

    Raises:
        Incomplete: one of the contract's six is missing.
    """
    missing = [name for name in VARIABLES if not given.get(name)]
    if missing:
        said = "; ".join(f"{name}: {VARIABLES[name]}" for name in missing)
        raise Incomplete(f"set the environment variables of a live platform: {said}")
    return Environment(
        core=given["EXORDOS_ENDPOINT"].rstrip("/"),
        service=given["EXORDOS_S3_CP_URL"].rstrip("/"),
        admin=(given["EXORDOS_USERNAME"], given["EXORDOS_PASSWORD"]),
        tenant=(given["METAPAAS_USERNAME"], given["METAPAAS_PASSWORD"]),
        cli=given.get(CLI) or "exordos",
        stand=given.get(STAND, ""),
        database=given.get(DATABASE, ""),
        logs=given.get(LOGS, ""),
    )


def no_stand(given: Mapping[str, str] = os.environ) -> str:
    """Why tests that break or look into the platform can't run; empty where they can.

    A stand sets all of its variables: where only some are set, what is missing is a
    mistake, and the tests that need it fail.
    """
    if any(given.get(name) for name in (STAND, DATABASE, LOGS)):
        return ""
    return f"{STAND} is not set: this platform is not ours to break"
