"""The plugin's own declaration, by the model of MetaPaaS that stores it."""

from __future__ import annotations

from collections.abc import Iterator

from exordos_metapaas.dm import models
from exordos_metapaas.services import plugin_reconciler
from packaging import requirements
from restalchemy.common import exceptions

from manifest_check.manifest import Manifest, Resource

_TYPE = "$metapaas.types"


def problems(found: Manifest) -> Iterator[str]:
    """What MetaPaaS could not store or install."""
    for each in found.resources():
        if each.type == _TYPE:
            yield from _plugin(each)


def _plugin(declared: Resource) -> Iterator[str]:
    known = models.PaaSType.properties.properties
    for name in sorted(set(declared.fields) - set(known)):
        yield f"{declared.link} {name}: MetaPaaS has no such field"
    given = {name: value for name, value in declared.fields.items() if name in known}
    # The agent fills in a project that is left out when it makes the row, and fails
    # without one each time that it changes the row (gcl_sdk 3.7, `_update`).
    try:
        plugin = models.PaaSType.restore_from_simple_view(**given)
        spec = plugin_reconciler.PluginReconciler._spec(None, plugin)
        requirements.Requirement(spec)
    except (exceptions.RestAlchemyException, ValueError, TypeError) as error:
        yield f"{declared.link}: MetaPaaS does not take it: {error}"
