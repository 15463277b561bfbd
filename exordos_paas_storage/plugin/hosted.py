"""The route tree as MetaPaaS mounts it, kept at the version that is installed."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

import exordos_paas_storage
from exordos_paas_storage.plugin import place

LOG = logging.getLogger(__name__)

_OURS = exordos_paas_storage.__name__


def type_route() -> Any:
    """The service's `/v1/types/s3/`; it never raises.

    After an upgrade the host discovers plugins again in processes that run on, and gets
    what they imported before. So the code is imported anew where another version is
    installed by now. What can't be imported answers 503 by itself, and the host's other
    plugins go on.
    """
    try:
        installed = place.installed_version()
        if installed not in (None, exordos_paas_storage.__version__):
            return _of_new_code(str(installed))
        from exordos_paas_storage.plugin import tree  # noqa: PLC0415

        return tree.route()
    except Exception:
        LOG.exception("the API of %s can't be loaded", place.ELEMENT)
        from exordos_paas_storage.plugin import broken  # noqa: PLC0415

        return broken.BrokenRoute


def _of_new_code(installed: str) -> Any:
    from exordos_paas_storage.plugin import keys  # noqa: PLC0415

    LOG.info("loads version %s of %s", installed, place.ELEMENT)
    read = keys.held()
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    try:
        fresh = importlib.import_module(f"{_OURS}.plugin.tree")
        sys.modules[f"{_OURS}.plugin.keys"].take_over(*read)
        return fresh.route()
    except Exception:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        raise


def _is_ours(name: str) -> bool:
    return name == _OURS or name.startswith(f"{_OURS}.")
