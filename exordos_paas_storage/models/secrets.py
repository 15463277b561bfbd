"""The box that opens and seals the secrets of this process's models.

restalchemy builds models from rows, so the box can't be an argument of theirs; like
restalchemy's own engine it is given once, when a process starts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from restalchemy.storage.sql import engines

from exordos_paas_storage.domain import errors
from exordos_paas_storage.sealing import box

_CHECK = ("s3aas_seal_check", "single", "sealed")
_WORD = "these are the right sealing keys"


class _Holder:
    box: box.Box | None = None
    provide: Callable[[], None] | None = None


def provide(call: Callable[[], None]) -> None:
    """Have `call` give the keys by `use` once a secret is first needed."""
    _Holder.provide = call


def use(opened: box.Box, source: str, *, first: bool = True) -> None:
    """Open and seal with these keys from now on, once they are proved right.

    The first start of a database stores a check value; later ones must open it.

    Args:
        opened: the keys.
        source: where they came from, for the error.
        first: whether this may be the first start; a process whose transaction may
            still be rolled back must not say so.

    Raises:
        SetupError: the keys are not those the database's secrets were sealed with, or
            no process has started with it yet.
    """
    place = "/".join(_CHECK)
    with engines.engine_factory.get_engine().session_manager() as session:
        if first:
            session.execute(
                "INSERT INTO s3aas_seal_check (sealed) VALUES (%s) "
                "ON CONFLICT DO NOTHING",
                (opened.seal(place, _WORD),),
            )
        stored = session.execute("SELECT sealed FROM s3aas_seal_check").fetchone()
    if stored is None:
        raise errors.SetupError(
            "this database was not sealed yet: the reconciler does it when it starts"
        )
    try:
        opened.open(place, stored["sealed"])
    except box.SealBroken:
        raise errors.SetupError(
            f"{source} does not hold the sealing keys that this database was sealed "
            "with: restore that file from your backup"
        ) from None
    _Holder.box = opened


def in_use() -> bool:
    """Whether this database was sealed before, by whatever keys."""
    with engines.engine_factory.get_engine().session_manager() as session:
        found = session.execute("SELECT 1 FROM s3aas_seal_check").fetchone()
    return found is not None


def _box() -> box.Box:
    if _Holder.box is None and _Holder.provide is not None:
        _Holder.provide()
    if _Holder.box is None:
        raise errors.SetupError("no sealing keys were given to this process")
    return _Holder.box


def seal(table: str, row: uuid.UUID, column: str, secret: str) -> str:
    """Seal a secret for one column of one row."""
    return _box().seal(f"{table}/{row}/{column}", secret)


def opened(table: str, row: uuid.UUID, column: str, sealed: str) -> str:
    """The secret in one column of one row."""
    return _box().open(f"{table}/{row}/{column}", sealed)
