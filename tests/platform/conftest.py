"""The platform's own code around ours: these run in an environment that has it."""

from tests.service.conftest import *  # noqa: F403 - the same database and callers
