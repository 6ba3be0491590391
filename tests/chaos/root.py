"""The checkout, where `examples` is; `stamp` is the one that is installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

__all__ = ["ROOT"]

ROOT: Final = Path(__file__).parent.parent.parent

sys.path.append(str(ROOT))
