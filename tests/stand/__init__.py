"""The real platform on one machine: see docs/guides/stand.md."""

import sys
from pathlib import Path

# Tools that the node image and the element are made with are used here too.
_EXORDOS = Path(__file__).resolve().parents[2] / "exordos"
for _folder in (str(_EXORDOS / "images"), str(_EXORDOS / "element")):
    if _folder not in sys.path:
        sys.path.append(_folder)
