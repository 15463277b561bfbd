"""What the commands of the build tools and of the stand have in common."""

from __future__ import annotations

from typing import Any

import click

from exordos_paas_storage.domain import errors


class ToolGroup(click.Group):
    """Ends with 1 and one line where something is wrong that somebody can mend."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except errors.StorageError as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:  # nobody reads on, as `head`: click ends quietly
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(
                f"{where}{error.strerror or error}: mend that, and run the same again"
            ) from None
