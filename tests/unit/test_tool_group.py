"""How the commands of the build tools and of the stand end."""

import errno

import click
import pytest
from click.testing import CliRunner

from exordos_paas_storage.cli import tool
from exordos_paas_storage.domain import errors


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.SetupError("no image is here"), "no image is here"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "No space left on device: mend that, and run the same again",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "output/a"),
            "output/a: Permission denied: mend that, and run the same again",
        ),
    ],
)
def test_what_somebody_can_mend_is_one_line(error, said):
    done = call(error)

    assert (done.exit_code, done.output) == (1, f"Error: {said}\n")


def test_where_nobody_reads_on_nothing_is_said():
    done = call(BrokenPipeError(errno.EPIPE, "Broken pipe"))

    assert (done.exit_code, done.output) == (1, "")


def test_a_mistake_of_ours_keeps_its_traceback():
    assert isinstance(call(KeyError("x")).exception, KeyError)


def call(error):
    """The end of a command that fails by this error."""

    @click.group(cls=tool.ToolGroup)
    def group():
        pass

    @group.command()
    def fail():
        raise error

    return CliRunner().invoke(group, ["fail"])
