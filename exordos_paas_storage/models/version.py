"""Versions that an instance can be made of; tenants only read them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from restalchemy.dm import filters, properties, types

from exordos_paas_storage.domain import access, capabilities, errors, status
from exordos_paas_storage.models import base

# Versions belong to nobody's project.
NO_PROJECT = uuid.UUID(int=0)
_URI = re.compile(r"(?:.*/)?versions/(?P<version>[^/]+)/?")


class Version(base.Asked):
    """A version of the service's data plane: an engine, its version and an image."""

    __tablename__ = "s3aas_versions"
    resource = access.VERSION
    born = status.ACTIVE

    name = properties.property(types.String(1, 255), required=True, read_only=True)
    engine = properties.property(
        types.Enum(list(capabilities.ENGINES)), required=True, read_only=True
    )
    engine_version = properties.property(types.String(1, 64), required=True)
    image = properties.property(types.AllowNone(types.String(max_length=255)))
    default = properties.property(types.Boolean(), default=False)
    deprecated = properties.property(types.Boolean(), default=False)

    def _settable(self) -> set[str]:
        return set()


def find(asked: str | None) -> Version:
    """The version that a client means: a name, an id, a URI, or `None` for the default.

    Raises:
        InvalidValue: there is no such version, or it is deprecated.
    """
    if asked is None:
        chosen: dict[str, Any] = {"default": filters.EQ(True)}
    else:
        match = _URI.fullmatch(asked)
        word = match["version"] if match else asked
        try:
            chosen = {"uuid": filters.EQ(uuid.UUID(word))}
        except ValueError:
            chosen = {"name": filters.EQ(word)}
    found = Version.objects.get_one_or_none(filters=chosen)
    if found is None or found.deprecated:
        raise errors.InvalidValue("version", "must be a version that is on offer")
    return found


def offer(name: str, engine: str, engine_version: str) -> None:
    """Make `name` the default version, of the given engine; the host's own call.

    Instances that exist keep the engine and version they were made with.
    """
    with base.transaction() as session:
        session.execute(
            'UPDATE s3aas_versions SET "default" = false WHERE name <> %s', (name,)
        )
        session.execute(
            """
            INSERT INTO s3aas_versions
                (uuid, project_id, name, engine, engine_version, "default",
                 status, observed_generation, seen_revision)
            VALUES (%s, %s, %s, %s, %s, true, 'ACTIVE', 1, 1)
            ON CONFLICT (name) DO UPDATE SET
                engine = EXCLUDED.engine,
                engine_version = EXCLUDED.engine_version,
                "default" = true
            """,
            (uuid.uuid5(NO_PROJECT, name), NO_PROJECT, name, engine, engine_version),
        )
