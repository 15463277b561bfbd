"""Core's own models and schemas, as they look at a manifest.

Source: exordos_core 0.3: `Manifest` is what an upload makes, and `build_full_schema`
what Core's own tests compare manifests with.
"""

from __future__ import annotations

import copy
import functools
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from exordos_core.common import exceptions
from exordos_core.elements.dm import models, utils
from restalchemy.common import exceptions as restalchemy_exceptions

from manifest_check.manifest import Manifest, Resource

_PREFIX = "$core."
_REFUSALS = (
    exceptions.CommonValueErrorException,
    restalchemy_exceptions.RestAlchemyException,
    ValueError,
    TypeError,
)


def refusal(found: Manifest) -> Iterator[str]:
    """Why Core would not even take the manifest."""
    # Core logs what it refuses, whole and with a traceback; it is told below.
    logging.getLogger("exordos_core").setLevel(logging.CRITICAL)
    try:
        _upload(found)
    except _REFUSALS as error:
        yield f"Core does not take it: {error}"


def problems(found: Manifest) -> Iterator[str]:
    """What Core's API would refuse, or nothing would ever make."""
    schema = _schema()
    for each in found.resources():
        if each.type.startswith(_PREFIX):
            yield from _names(each, schema)
    whole = utils.mutate_manifest(copy.deepcopy(dict(found.data)), schema)
    try:
        utils.validate_manifest(whole, schema)
    except exceptions.OpenApiValidateException as error:
        yield f"Core's API does not take it: {error}"


def _upload(found: Manifest) -> None:
    data = copy.deepcopy(dict(found.data))
    for key in {"uuid", "project_id"} & set(data):
        data[key] = uuid.UUID(str(data[key]))
    models.Manifest(**data).validate_schema_base()


def _names(declared: Resource, schema: Mapping[str, Any]) -> Iterator[str]:
    """What Core's schemas let pass and nothing ever reads."""
    kind = utils.remove_middle_parts(declared.type)
    known = schema["properties"]["resources"]["properties"]
    if kind not in known:
        made = f"em_{kind.removeprefix('$').replace('.', '_')}"
        if made not in _agent_kinds():
            yield f"{declared.link}: Core has no such type"
        return
    reference = known[kind]["additionalProperties"]["$ref"]
    model = utils.resolve_schema(
        schema["components"]["schemas"], reference.rpartition("/")[2]
    )
    for name in sorted(set(declared.fields) - set(model["properties"])):
        yield f"{declared.link} {name}: Core has no such field"


@functools.cache
def _schema() -> dict[str, Any]:
    return utils.build_full_schema(
        utils.load_base_manifest_schema(), utils.load_user_api_spec()
    )


@functools.cache
def _agent_kinds() -> frozenset[str]:
    """What Core's agent makes beside what its API describes: older names."""
    place = Path(utils.PROJECT_PATH, "etc", "exordos_core", "core_agent.conf.j2")
    return frozenset(re.findall(r"^(em_core_\w+)\s*=", place.read_text(), re.M))
