"""Paths that hold no objects: they list what lies below them."""

from __future__ import annotations

from typing import Any, ClassVar

import webob
from restalchemy.api import controllers as ra

from exordos_paas_storage.api import packer
from exordos_paas_storage.domain import errors


class NamesController(ra.Controller):
    """Lists the collections below a path."""

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        request.caller = None

    def do_collection(self, parent_resource: Any = None) -> webob.Response:
        if self.request.method != "GET":
            raise errors.MethodNotAllowed("method", "is not taken by this path")
        return webob.Response(
            body=packer.packed(list(self.names)), content_type="application/json"
        )
