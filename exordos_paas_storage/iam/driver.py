"""gcl_iam's driver over the local accounts: rights are read at each request."""

from __future__ import annotations

import uuid
from typing import Any

from gcl_iam import algorithms, drivers, exceptions, tokens

from exordos_paas_storage.domain import access
from exordos_paas_storage.iam import issuer
from exordos_paas_storage.models import account


class LocalDriver(drivers.AbstractAuthDriver):
    """Says who a token is and what it may do, as it stands in the database now.

    Removing an account or its role ends what its tokens open at once.
    """

    def __init__(self, issued_by: issuer.Issuer) -> None:
        self._issuer = issued_by

    def get_algorithm(
        self, token_info: tokens.UnverifiedToken
    ) -> algorithms.AbstractAlgorithm:
        if token_info.audience_name != issuer.AUDIENCE:
            raise exceptions.InvalidAuthTokenError()
        return self._issuer.algorithm

    def get_introspection_info(
        self, token_info: tokens.AuthToken, otp_code: str | None = None
    ) -> dict[str, Any]:
        claims = token_info.token_info
        found = account.by_id(uuid.UUID(claims["sub"]))
        if found is None or claims["typ"] != issuer.ACCESS_TYPE:
            raise exceptions.InvalidAuthTokenError()
        project = claims["project"]
        role = account.role_of(found.id, uuid.UUID(project)) if project else None
        return {
            "user_info": {
                "uuid": str(found.id),
                "name": found.name,
                "first_name": "",
                "last_name": "",
                "email": "",
                "type": "user",
            },
            "project_id": project,
            "otp_verified": False,
            "permissions": access.permissions(role) if role else [],
        }
