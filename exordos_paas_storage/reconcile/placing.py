"""Where an instance's node is: recorded, and told to its host."""

from __future__ import annotations

import uuid

from exordos_paas_storage.models import base, instance, node
from exordos_paas_storage.nodes import port
from exordos_paas_storage.reconcile import queue

# Any number that nothing else in the database locks.
PLACING = 0x53335054


def place(nodes: port.Nodes, one: node.Node) -> None:
    """Choose where the node serves, which it keeps."""
    with base.transaction() as session:
        # Two instances placed at once must not choose one place.
        session.execute("SELECT pg_advisory_xact_lock(%s)", (PLACING,))
        rows = session.execute(
            "SELECT host, port FROM s3aas_nodes WHERE port IS NOT NULL"
        ).fetchall()
        taken = {port.Endpoint(row["host"], row["port"]) for row in rows}
        one.host, one.port = nodes.locate(taken)
        session.execute(
            "UPDATE s3aas_nodes SET host = %s, port = %s WHERE uuid = %s",
            (one.host, one.port, one.uuid),
        )


def moved(one: node.Node, to: port.Endpoint) -> None:
    """Record the address that the host gave, and what follows from a new one.

    Whoever else is recorded there lost it, as the host would not give it twice. Behind
    a new address may be an empty disk: everything has a turn, and what is gone with its
    objects is told and not made again.
    """
    with base.transaction() as session:
        session.execute(
            "UPDATE s3aas_nodes SET port = NULL "
            "WHERE host = %s AND port = %s AND uuid <> %s",
            (*to, one.uuid),
        )
        session.execute(
            "UPDATE s3aas_nodes SET host = %s, port = %s WHERE uuid = %s",
            (*to, one.uuid),
        )
        if one.host is None:
            return
        session.execute(
            "UPDATE s3aas_instances SET engine_ready = false, sealing_proved = false "
            "WHERE uuid = %s",
            (one.instance,),
        )
        for table in queue.CHILDREN:
            session.execute(
                f"UPDATE {table} SET revision = revision + 1, "  # noqa: S608
                "next_try_at = greatest(next_try_at, now()) WHERE instance = %s",
                (one.instance,),
            )


def set_port(node_id: uuid.UUID, chosen: int | None) -> None:
    """Record another port of the node, or that it has none."""
    with base.transaction() as session:
        session.execute(
            "UPDATE s3aas_nodes SET port = %s WHERE uuid = %s", (chosen, node_id)
        )


def set_state(node_id: uuid.UUID, reason: str) -> None:
    """Record what was last seen of the node."""
    with base.transaction() as session:
        session.execute(
            "UPDATE s3aas_nodes SET state = %s WHERE uuid = %s AND state <> %s",
            (reason, node_id, reason),
        )


def spec_of(
    owner: instance.Instance, one: node.Node, opened: bool = True
) -> port.NodeSpec:
    """The node as its host is asked for it; without secrets where none are needed."""
    found = one.opened() if opened else dict.fromkeys(node.SEALED, "")
    image, observed = _facts(owner)
    return port.NodeSpec(
        node_id=one.uuid,
        instance_id=owner.uuid,
        engine=owner.engine,
        engine_version=owner.engine_version,
        host=one.host or "",
        port=one.port or 0,
        secrets=port.NodeSecrets(
            access_key=one.root_access_key,
            secret_key=found["root_secret"],
            sse_master_key=found["sse_master_key"],
            iam_master_key=found["iam_master_key"],
        ),
        sizes=port.Sizes(owner.cpu, owner.ram, owner.disk_size),
        image=image,
        generation=owner.generation,
        observed_generation=observed,
    )


def _facts(owner: instance.Instance) -> tuple[str | None, int]:
    """The image of the instance's version, and the generation that last worked."""
    with base.transaction() as session:
        row = session.execute(
            """
            SELECT v.image, i.observed_generation AS observed
            FROM s3aas_instances i LEFT JOIN s3aas_versions v ON v.name = i.version
            WHERE i.uuid = %s
            """,
            (owner.uuid,),
        ).fetchone()
    return (row["image"], row["observed"]) if row else (None, owner.generation)
