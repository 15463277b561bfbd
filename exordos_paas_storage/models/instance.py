"""Instances: an S3 server of a tenant's own."""

from __future__ import annotations

from typing import Any

from restalchemy.dm import filters, properties, types

from exordos_paas_storage.domain import access, capabilities, errors, status
from exordos_paas_storage.domain import policy as templates
from exordos_paas_storage.models import base, bucket, node, policy, user, version

REGION = "us-east-1"


class Instance(base.Asked):
    """An S3 server that a user asked for; `status` says whether it serves."""

    __tablename__ = "s3aas_instances"
    resource = access.INSTANCE
    born = status.CREATING

    name = properties.property(types.String(), required=True)
    description = properties.property(types.String(), default="")
    # Answered as the version's name; a name, an id or a URI may be asked for.
    version = properties.property(types.AllowNone(types.String()), default=None)
    engine = properties.property(types.AllowNone(types.String()), default=None)
    engine_version = properties.property(types.AllowNone(types.String()), default=None)
    region = properties.property(types.String(), default=REGION)
    bucket_name = properties.property(types.AllowNone(types.String()), default=None)
    encryption = properties.property(types.String(), default="none")
    versioning = properties.property(types.Boolean(), default=False)
    mfa_delete = properties.property(types.Boolean(), default=False)
    public_access = properties.property(types.String(), default="blocked")
    read_only = properties.property(types.Boolean(), default=False)
    suspended = properties.property(types.Boolean(), default=False)
    deletion_protection = properties.property(types.Boolean(), default=False)
    default_user_policies = properties.property(
        types.TypedList(types.String()), default=lambda: ["read-write"]
    )
    max_key_ttl_s = properties.property(types.AllowNone(types.Integer()), default=None)
    s3_bucket_api = properties.property(types.String(), default="denied")
    # Cores, MiB and GiB.
    cpu = properties.property(types.Integer(), default=1)
    ram = properties.property(types.Integer(), default=1024)
    disk_size = properties.property(types.Integer(), default=10)
    nodes_number = properties.property(types.Integer(), default=1)

    # A page of instances reads its nodes at once and leaves them here.
    placed: list[node.Node] | None = None

    def _placed(self) -> list[node.Node]:
        if self.placed is None:
            self.placed = node.Node.objects.get_all(
                filters={"instance": filters.EQ(self.uuid)}
            )
        return [one for one in self.placed if one.port is not None]

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes that have an address, as a tenant sees them."""
        return [one.shown() for one in self._placed()]

    @property
    def endpoint(self) -> str | None:
        """The S3 endpoint's URL; `None` until a node is placed."""
        found = self._placed()
        return f"http://{found[0].host}:{found[0].port}" if found else None

    def _before_insert(self, session: Any) -> None:
        access.check(self.resource, "version", self.version)
        chosen = version.find(self.version)
        self.version = chosen.name
        self.engine, self.engine_version = chosen.engine, chosen.engine_version
        self._check_engine()
        unknown = set(self.default_user_policies) - set(templates.TEMPLATES)
        _refuse_unknown(unknown)

    def _after_insert(self, session: Any) -> None:
        node.Node.made_for(self.uuid, self.project_id).insert(session=session)
        policy.add_templates(session, self)
        if self.bucket_name is not None:
            bucket.Bucket(
                project_id=self.project_id, instance=self.uuid, name=self.bucket_name
            ).insert(session=session)

    def _before_update(self, session: Any, changed: set[str]) -> None:
        self._check_engine()
        if "disk_size" in changed:
            self._check_grows(self.locked(session)["disk_size"])
        if "default_user_policies" in changed:
            rows = session.execute(
                "SELECT name FROM s3aas_policies WHERE instance = %s "
                "AND status <> 'DELETING' FOR SHARE",
                (self.uuid,),
            ).fetchall()
            known = {row["name"] for row in rows}
            _refuse_unknown(set(self.default_user_policies) - known)

    def _after_update(self, session: Any, changed: set[str]) -> None:
        for setting in changed & {"encryption", "versioning"}:
            bucket.Bucket.queue(
                session,
                f"instance = %s AND {setting} IS NULL",
                (self.uuid,),
                status.PENDING,
            )
        if "default_user_policies" in changed:
            user.User.queue(
                session,
                "instance = %s AND inherits_policies",
                (self.uuid,),
                status.PENDING,
            )

    def _before_delete(self, session: Any) -> None:
        row = self.locked(session)
        if row["deletion_protection"]:
            raise errors.DeletionProtected(
                "deletion_protection", "is on; turn it off to delete the instance"
            )

    def set_suspended(self, suspended: bool) -> None:
        """Stop every key of the instance, or let them act again; the rest stays.

        Raises:
            BeingDeleted: the instance is being deleted.
        """
        with base.transaction() as session:
            row = self.locked(session)
            if row["suspended"] != suspended:
                self.queue(
                    session, "uuid = %s", (self.uuid,), status.PENDING, asked=True
                )
                session.execute(
                    "UPDATE s3aas_instances SET suspended = %s WHERE uuid = %s",
                    (suspended, self.uuid),
                )
            self._reload(session)

    def _check_grows(self, stored_gib: int) -> None:
        if self.disk_size < stored_gib:
            raise errors.InvalidValue(
                "disk_size",
                f"can only grow: {stored_gib} GiB were asked for, and no disk that may "
                "hold objects is made smaller",
            )

    def _check_engine(self) -> None:
        if self.nodes_number > 1:
            raise errors.NotYetSupported("nodes_number", "can only be 1 yet")
        if not self.mfa_delete:
            return
        if capabilities.of(self.engine, self.engine_version).mfa_delete:
            raise errors.NotYetSupported("mfa_delete", "can't be set yet; leave it out")
        raise errors.UnsupportedByEngine(
            "mfa_delete",
            f"{self.engine} can't keep a key from removing versions with a forced "
            "delete, so MFA delete would not hold",
        )


def _refuse_unknown(unknown: set[str]) -> None:
    if unknown:
        raise errors.InvalidValue(
            "default_user_policies", f"{min(unknown)} is not a policy of the instance"
        )
