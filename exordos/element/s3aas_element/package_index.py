"""A folder that pip and uv install from: the simple index of PEP 503, as files."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from urllib.parse import quote

from exordos_paas_storage.domain import errors
from s3aas_element.digest import sha256
from s3aas_element.wheel import Wheel

_PAGE = """\
<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.0">
    <title>{title}</title>
  </head>
  <body>
{links}
  </body>
</html>
"""


def publish(wheel: Wheel, index: Path, *, replace: bool = False) -> Path:
    """Put a wheel into an index beside what is there; where it lies now.

    Args:
        replace: whether another wheel of the same name may be replaced. Whoever has
            installed or cached that one keeps it.

    Raises:
        SetupError: another wheel of this name is there, or the folder can't be written.
    """
    project = wheel.file.name.split("-")[0]
    folder = index / re.sub(r"[-_.]+", "-", project).lower()
    target = folder / wheel.file.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists() and not replace and sha256(target) != sha256(wheel.file):
            raise errors.SetupError(
                f"{target} is there and is another: give a new release a new version,"
                " or pass --replace where nobody has installed it"
            )
        part = target.with_name(f".part-{target.name}")
        shutil.copyfile(wheel.file, part)
        part.replace(target)
        _write(folder, f"Links for {folder.name}", map(_to_file, _wheels(folder)))
        _write(index, "Simple index", map(_to_project, _projects(index)))
    except OSError as error:
        raise errors.SetupError(f"{index} can't be written: {error}") from None
    return target


def _wheels(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.whl"))


def _projects(index: Path) -> list[Path]:
    return sorted(each for each in index.iterdir() if each.is_dir() and _wheels(each))


def _to_file(wheel: Path) -> str:
    address = f"{quote(wheel.name)}#sha256={sha256(wheel)}"
    return f'<a href="{address}">{html.escape(wheel.name)}</a><br>'


def _to_project(folder: Path) -> str:
    return f'<a href="{quote(folder.name)}/">{html.escape(folder.name)}</a><br>'


def _write(folder: Path, title: str, links: map[str]) -> None:
    text = _PAGE.format(title=title, links="\n".join(f"    {each}" for each in links))
    part = folder / ".part-index.html"
    part.write_text(text)
    part.replace(folder / "index.html")
