"""Which tests of a run in several processes are one process's (pytest-xdist)."""

from xdist.scheduler import LoadFileScheduling

# What it starts chooses ports from 8080 and 9000 on, and expects them again later.
_SERVICES = "tests/onebox/"


class Lanes(LoadFileScheduling):
    """A file's tests run in one process, and so do all that start whole services."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_SERVICES):
            return _SERVICES
        return super()._split_scope(nodeid)
