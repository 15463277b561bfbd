"""The Node port on Exordos Core: one node set of one machine for each instance.

Core makes, places and boots the machine; its agent writes the files and restarts the
engine. Core is asked only where what is wanted may differ from what it has, or where
the engine is silent: a healthy instance does not depend on it.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Set

from exordos_paas_storage.domain import errors
from exordos_paas_storage.nodes import (
    core_bodies,
    core_client,
    core_memory,
    core_view,
    image,
    port,
    ready,
)

# After so long Core is compared again, though nothing was changed here: that of a
# healthy node, and the files of one that does not answer.
CHECK_S = 900.0
CHECK_FILES_S = 60.0
# For so long Core may still come to a call whose answer was not waited for.
DOUBT_S = 60.0


class CoreNodes:
    """Engines on machines that Core makes; safe to use from several threads.

    Args:
        client: calls of Core.
        clock: seconds, never stepping back.
        engine_port: where engines listen on their machine.
    """

    places = False

    def __init__(
        self,
        client: core_client.CoreClient,
        clock: Callable[[], float] = time.monotonic,
        *,
        engine_port: int = image.PORT,
    ) -> None:
        self._client, self._port, self._clock = client, engine_port, clock
        self._memory = core_memory.Memory(clock)

    def ensure(self, spec: port.NodeSpec) -> port.NodeStatus:
        """Have Core make the node as it is wanted, and tell how far that is."""
        with self._memory.of(spec) as known:
            serves = self._serves(spec)
            digest = core_memory.digest_of(spec)
            fresh = self._clock() - known.checked_at < CHECK_S
            if serves and fresh and known.digest == digest:
                return self._ready(known)
            try:
                view = self._settle(spec, known, digest)
            except core_client.CoreUnavailable as error:
                # Another one where it was just seen to differ.
                current = known.digest == digest
                return self._unavailable(spec, known, serves, current, str(error))
            except (core_client.CoreRefused, errors.SetupError) as error:
                return self._refused(known, serves, str(error))
            return self._seen(spec, known, view, digest, serves)

    def status(self, spec: port.NodeSpec) -> port.NodeStatus:
        """Whether the engine answers; Core is not asked."""
        return ready.status(spec)

    def stop(self, spec: port.NodeSpec) -> None:
        """The engine goes on: Core can make and delete a machine, and not stop it."""

    def remove(self, spec: port.NodeSpec) -> None:
        """Have Core delete machine and files; the data go with the machine's disks.

        Raises:
            NotYet: Core has some of it still, or can't be asked.
        """
        paths = [f"{core_bodies.SETS}{spec.node_id}"]
        # After the machine, which would be told to delete each file and restart.
        paths += [f"{core_bodies.CONFIGS}{one}" for one in core_bodies.config_ids(spec)]
        try:
            there = [path for path in paths if self._client.delete(path)]
            left = [path for path in there if self._client.get(path) is not None]
        except (core_client.CoreUnavailable, core_client.CoreRefused) as error:
            raise port.NotYet(f"the node is not removed: {error}") from error
        if left:
            raise port.NotYet(f"Core still has {left[0]}")
        with self._memory.of(spec) as known:
            if self._clock() - known.doubted_at < DOUBT_S:
                raise port.NotYet("a call that makes the node may be under way")
        self._memory.forget(spec.node_id)

    def locate(self, taken: Set[port.Endpoint]) -> port.Endpoint:
        """Core gives the address; it comes with the status."""
        raise errors.SetupError("Core gives the node its address")

    def _serves(self, spec: port.NodeSpec) -> bool:
        return bool(spec.host and spec.port) and ready.answers(spec)

    def _settle(
        self, spec: port.NodeSpec, known: core_memory.Known, digest: str
    ) -> core_view.View:
        """Make or change what differs in Core; what it shows of the node."""
        path = f"{core_bodies.SETS}{spec.node_id}"
        wanted = core_bodies.node_set(spec)
        shown = self._client.get(path)
        if shown is None and spec.served:
            # A new machine would be an empty one under the name of the lost one.
            return core_view.MISSING
        if shown is None:
            if not spec.image:
                raise errors.SetupError("the instance's version names no image")
            self._create(known, core_bodies.SETS, wanted)
            shown = self._client.get(path)
            if shown is None:
                raise core_client.CoreRefused(f"Core keeps {path} from the service")
        elif core_bodies.is_stillborn(spec, shown) and self._client.delete(path):
            return core_view.read(shown)  # the next turn makes it anew
        change = core_bodies.set_change(wanted, shown, spec.generation)
        if change:
            known.digest = ""
            if not self._change_set(known, path, change):
                raise core_client.CoreUnavailable(f"Core lost {path} meanwhile")
            shown = self._client.get(path) or shown
        view = core_view.read(shown)
        known.saw(view, spec, self._clock())
        if view.active and view.node:
            self._deliver(spec, known, (digest, view.node))
        return view

    def _change_set(
        self, known: core_memory.Known, path: str, change: core_bodies.Body
    ) -> bool:
        """Send a change of the node set; False where Core has none."""
        before = known.restart
        if change.keys() & {"cores", "ram"}:
            known.restart = core_memory.Restart(self._clock())
        try:
            return self._client.change(path, change)
        except core_client.CoreRefused:
            # Nothing restarts for it; where an answer was lost, something may.
            known.restart = before
            raise

    def _deliver(
        self, spec: port.NodeSpec, known: core_memory.Known, wanted: tuple[str, str]
    ) -> None:
        """Have the machine's files written, each only where it differs.

        Core deletes a config whose machine it does not know (exordos_core 0.3.5,
        `config/service.py`, `_actualize_new_config`). Nor are they for one that is not
        up: the system that writes its disk would get the secrets, and log them.

        Args:
            wanted: the spec's digest and Core's id of the machine.
        """
        now = self._clock()
        if known.delivered == wanted and now - known.delivered_at < CHECK_FILES_S:
            return
        known.delivered = ("", None)
        bodies = core_bodies.configs(spec, wanted[1])
        # Every one, also after one that is not known to be right yet.
        put = [self._put_config(known, body) for body in bodies]
        if all(put):
            known.delivered, known.delivered_at = wanted, now

    def _put_config(self, known: core_memory.Known, wanted: core_bodies.Body) -> bool:
        """Make or change one file's config; whether it is known to be as wanted."""
        path = f"{core_bodies.CONFIGS}{wanted['uuid']}"
        shown = self._client.get(path)
        if shown is None:
            return self._create(known, core_bodies.CONFIGS, wanted)
        change = core_bodies.config_change(wanted, shown)
        return not change or self._client.change(path, change)

    def _create(
        self, known: core_memory.Known, path: str, body: core_bodies.Body
    ) -> bool:
        """Make an object; False where it exists, by a call whose answer was lost."""
        owned = {**body, "project_id": str(self._client.project_id)}
        try:
            return self._client.create(path, owned)
        except core_client.CoreUnavailable:
            known.doubted_at = self._clock()
            raise

    def _seen(
        self,
        spec: port.NodeSpec,
        known: core_memory.Known,
        view: core_view.View,
        digest: str,
        serves: bool,
    ) -> port.NodeStatus:
        """The status by what Core shows, and whether it `serves` where the spec is."""
        endpoint = None
        if view.active and view.address:
            endpoint = port.Endpoint(view.address, self._port)
        if endpoint and endpoint != spec.endpoint:
            serves = self._serves(dataclasses.replace(spec, **endpoint._asdict()))
        changed = known.changed(view.active, serves, self._clock())
        if not serves:
            return self._silent(spec, known, view, endpoint)
        delivered = known.delivered == (digest, view.node)
        if view.active and delivered and changed:
            known.digest, known.checked_at = digest, self._clock()
            known.doubted_at = -math.inf
            return self._ready(known, endpoint=endpoint)
        if view.active:
            said = core_view.CHANGING if delivered else core_view.DELIVERING
            return self._ready(known, endpoint=endpoint, unsettled=said)
        return self._ready(
            known,
            unsettled=f"Core has the node set as {view.status or 'deleted'}",
            refused=view.status in ("", core_view.ERROR),
        )

    def _silent(
        self,
        spec: port.NodeSpec,
        known: core_memory.Known,
        view: core_view.View,
        endpoint: port.Endpoint | None,
    ) -> port.NodeStatus:
        # Core may show it done before its machine has begun to restart.
        changing = self._clock() - known.restart.asked_at < core_view.CHANGING_S
        reason, said, patience_s = core_view.silent(view, spec.served, changing)
        waited_s = known.waited_s(reason, self._clock())
        if reason == port.NODE_PENDING and waited_s >= core_view.SEE_S:
            said += f"; see the node set {spec.node_id} there"
        return port.NodeStatus(
            running=view.active,
            ready=False,
            reason=reason,
            message=said,
            endpoint=endpoint,
            at_work=waited_s < patience_s,
            again_s=core_view.pace_s(waited_s),
        )

    def _unavailable(
        self,
        spec: port.NodeSpec,
        known: core_memory.Known,
        serves: bool,
        current: bool,
        said: str,
    ) -> port.NodeStatus:
        if serves:
            return self._ready(known, unsettled="" if current else said)
        waited_s = known.waited_s(port.HOST_UNAVAILABLE, self._clock())
        return port.NodeStatus(
            running=False,
            ready=False,
            reason=port.HOST_UNAVAILABLE,
            message=said,
            at_work=not spec.served and waited_s < core_view.PENDING_S,
            again_s=core_view.pace_s(waited_s),
        )

    def _refused(
        self, known: core_memory.Known, serves: bool, said: str
    ) -> port.NodeStatus:
        if serves:
            return self._ready(known, unsettled=said, refused=True)
        waited_s = known.waited_s(port.HOST_REFUSED, self._clock())
        again_s = core_view.pace_s(waited_s)
        return port.NodeStatus(False, False, port.HOST_REFUSED, said, again_s=again_s)

    def _ready(
        self,
        known: core_memory.Known,
        *,
        endpoint: port.Endpoint | None = None,
        unsettled: str = "",
        refused: bool = False,
    ) -> port.NodeStatus:
        again_s = None
        if unsettled:
            again_s = core_view.pace_s(known.waited_s(port.READY, self._clock()))
        else:
            known.state = ("", 0.0)
        return port.NodeStatus(
            True,
            True,
            port.READY,
            endpoint=endpoint,
            unsettled=unsettled,
            refused=refused,
            not_told=core_view.growth(known.grown),
            again_s=again_s,
        )
