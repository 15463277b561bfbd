"""What a stand-in remembers: one JSON file, replaced whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Records:
    """Tables of rows by their id."""

    def __init__(self, path: Path, *tables: str) -> None:
        self._path, self._tables = path, tables

    def read(self) -> dict[str, dict[str, Any]]:
        """All tables."""
        empty: dict[str, dict[str, Any]] = {table: {} for table in self._tables}
        if self._path.exists():
            empty.update(json.loads(self._path.read_text()))
        return empty

    def put(self, table: str, key: object, row: Any) -> None:
        """Write one row."""
        content = self.read()
        content[table][str(key)] = row
        self._write(content)

    def drop(self, table: str, key: object) -> None:
        """Remove one row; done if there is none."""
        content = self.read()
        content[table].pop(str(key), None)
        self._write(content)

    def _write(self, content: dict[str, dict[str, Any]]) -> None:
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        part.write_text(json.dumps(content, indent=1, default=str))
        part.replace(self._path)
