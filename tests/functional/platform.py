"""Projects, users and roles of one run, made in Core and removed again."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from s3aas_element import identity

from exordos_paas_storage.client import http
from exordos_paas_storage.domain import access
from tests.functional import core, environment
from tests.service import made

METAPAAS_PROJECT = str(identity.METAPAAS_PROJECT)
PREFIX = "s3-functional"
GONE_S = 180.0


@dataclass(frozen=True)
class Account:
    """Somebody with a role in one project."""

    username: str
    password: str = field(repr=False)
    project: str = ""


class Client(http.Client):
    """The service's own client, with a token of Core's."""

    def __init__(self, url: str, token: str) -> None:
        login = http.Login("", "", "")
        super().__init__(url, login, httpx.Client(timeout=60, trust_env=False))
        self._of_core = token

    def _fresh_token(self) -> str:
        return self._of_core


class Platform:
    """One live platform, and what one run of the tests has made there.

    `with` it: whatever was made is removed at the end, also after failures.
    """

    def __init__(self, given: environment.Environment) -> None:
        self.given, self.run = given, uuid.uuid4().hex[:8]
        self.core = core.Core(given.core, given.admin)
        self._http = httpx.Client(base_url=given.service, timeout=60, trust_env=False)
        self._roles: dict[str, str] = {}
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def project(self, word: str) -> str:
        """A new project's id; its instances are removed with it."""
        found = self._make_project(word)
        self._undo.callback(self._drop_project, found)
        return found

    @contextlib.contextmanager
    def removed(self, project: str) -> Iterator[None]:
        """Remove a project that somebody makes meanwhile, with its instances."""
        try:
            yield
        finally:
            if self.core.find(f"iam/projects/{project}") is not None:
                self._drop_project(project)

    def _make_project(self, word: str, **more: str) -> str:
        organization = self.core.list("iam/organizations")[0]["uuid"]
        found = self.core.make(
            "iam/projects",
            name=f"{PREFIX}-{self.run}-{word}",
            description="made by a run of the functional tests",
            organization=f"/v1/iam/organizations/{organization}",
            **more,
        )
        return str(found["uuid"])

    def account(self, role: str, project: str) -> Account:
        """A new user who has a role of ours in a project."""
        return self._user(role, self.role(role), project)

    def member(self, project: str) -> made.Api:
        """A new user of a project whose role there has no permission of ours."""
        found = self.core.make(
            "iam/roles",
            name=f"{PREFIX}-{self.run}-member",
            description="made by a run of the functional tests",
        )["uuid"]
        self._undo.callback(self.core.drop, f"iam/roles/{found}")
        return self.api(self._user("member", str(found), project))

    def _user(self, kind: str, role: str, project: str) -> Account:
        word = f"{PREFIX}-{self.run}-{kind}-{secrets.token_hex(3)}"
        password = secrets.token_urlsafe(18)
        found = self.core.make(
            "iam/users",
            username=word,
            password=password,
            description="made by a run of the functional tests",
            first_name="Functional",
            last_name="Test",
            email=f"{word}@example.com",
        )["uuid"]
        self._undo.callback(self._drop_user, str(found))
        self._bind(str(found), role, project)
        return Account(word, password, project)

    def tenant(self, project: str) -> Account:
        """The user that the environment names, as an owner of a project."""
        username, password = self.given.tenant
        (found,) = self.core.list("iam/users", username=username)
        self._bind(found["uuid"], self.role(access.OWNER), project)
        return Account(username, password, project)

    def api(self, account: Account, *, scoped: bool = True) -> made.Api:
        """The service as somebody sees it.

        Args:
            account: who asks.
            scoped: whether the token counts in the account's project.
        """
        return made.Api(self._http, self.token(account, scoped=scoped))

    def anonymous(self, token: str | None = None) -> made.Api:
        """The service without a token, or with any text for one."""
        return made.Api(self._http, token)

    def elements_owner(self, project: str) -> Account:
        """The administrator as an owner of Core's own project of declared objects.

        Core keeps its id in every declared object and makes no project of it, so that
        nobody has a token for it. Where there is none, it is made for this run.
        """
        self._make_elements_project(project)
        (me,) = self.core.list("iam/users", username=self.given.admin[0])
        for role in (self.role(access.OWNER), self._role_of_elements()):
            self._bind(me["uuid"], role, project)
        return Account(*self.given.admin, project)

    def owner_of_elements_by_id(self, project: str) -> Account:
        """Whoever makes a project of that id in Core, which makes an owner of them."""
        self._make_elements_project(project)
        return self.account(access.OWNER, project)

    def _make_elements_project(self, project: str) -> None:
        if self.core.find(f"iam/projects/{project}") is None:
            self._make_project("elements", uuid=project)
            self._undo.callback(self.core.drop, f"iam/projects/{project}")
            self._undo.callback(self.drop_bindings, project=project)

    def _role_of_elements(self) -> str:
        """A new role that reaches declared objects, which no role of ours does."""
        (permission,) = self.core.list("iam/permissions", name=access.REACH_DECLARED)
        found = self.core.make(
            "iam/roles",
            name=f"{PREFIX}-{self.run}-elements",
            description="made by a run of the functional tests",
        )["uuid"]
        self._undo.callback(self.core.drop, f"iam/roles/{found}")
        bound = self.core.make(
            "iam/permission_bindings",
            role=f"/v1/iam/roles/{found}",
            permission=f"/v1/iam/permissions/{permission['uuid']}",
            project_id=METAPAAS_PROJECT,
        )["uuid"]
        self._undo.callback(self.core.drop, f"iam/permission_bindings/{bound}")
        return str(found)

    def administrator(self) -> made.Api:
        """The service as the platform's administrator, whose token has no project."""
        return made.Api(self._http, self.core.token(*self.given.admin))

    def client(self, account: Account) -> Client:
        """The service's own client for somebody."""
        return Client(self.given.service, self.token(account))

    def token(self, account: Account, *, scoped: bool = True) -> str:
        """An access token of Core's."""
        project = account.project if scoped else ""
        return self.core.token(account.username, account.password, project)

    def role(self, name: str) -> str:
        """Id of the role that carries the service's marker of that name."""
        if name not in self._roles:
            marker = access.marker(name)
            permissions = self.core.list("iam/permissions", name=marker)
            assert permissions, f"no permission {marker}: is s3aas installed?"
            bound = self.core.list(
                "iam/permission_bindings", permission=permissions[0]["uuid"]
            )
            assert bound, f"no role has the permission {marker}"
            self._roles[name] = bound[0]["role"].rstrip("/").rsplit("/", 1)[-1]
        return self._roles[name]

    def node_set(self, node: str) -> dict[str, Any] | None:
        """Core's set of machines for one node of an instance."""
        return self.core.find(f"compute/sets/{node}")

    def disk_sizes(self, node: str) -> list[int]:
        """Sizes of the disks of a node's machine, GiB; the data's disk is the last."""
        found = self.node_set(node)
        assert found is not None, f"Core has no set {node}"
        return [disk["size"] for disk in found["disk_spec"]["disks"]]

    def _bind(self, user: str, role: str, project: str) -> None:
        found = self.core.make(
            "iam/role_bindings",
            user=f"/v1/iam/users/{user}",
            role=f"/v1/iam/roles/{role}",
            project=f"/v1/iam/projects/{project}",
        )["uuid"]
        self._undo.callback(self.core.drop, f"iam/role_bindings/{found}")

    def _drop_user(self, user: str) -> None:
        self.drop_bindings(user=user)
        self.core.drop(f"iam/users/{user}")

    def _drop_project(self, project: str) -> None:
        try:
            self.drop_instances(project)
        finally:
            self.drop_bindings(project=project)
            self.core.drop(f"iam/projects/{project}")

    def drop_instances(self, project: str) -> None:
        """Remove the project's instances, as its maker, who is an owner of it."""
        owner = Account(*self.given.admin, project)
        api = self.api(owner)
        for found in api.show("/instances?page_limit=1000"):
            path = f"/instances/{found['id']}"
            if found["deletion_protection"]:
                api.change(path, deletion_protection=False)
            api.delete(path)
        made.until(
            lambda: api.show("/instances") == [], GONE_S, f"{project} is not empty"
        )

    def drop_bindings(self, **of: str) -> None:
        """Take roles from users: all of one role, user or project."""
        for found in self.core.list("iam/role_bindings", **of):
            self.core.drop(f"iam/role_bindings/{found['uuid']}")
