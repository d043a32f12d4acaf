"""The double of the MetaTrader5 package, put on the path and taken away again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

FOLDER = str(Path(__file__).parent)


def install() -> Any:
    """The module MetaTrader5, its terminal as new. Call ``remove`` afterwards."""
    if FOLDER not in sys.path:
        sys.path.insert(0, FOLDER)
    import MetaTrader5

    MetaTrader5.terminal.reset()
    return MetaTrader5


def remove() -> None:
    """No MetaTrader5 any more: as on a machine that has none."""
    if FOLDER in sys.path:
        sys.path.remove(FOLDER)
    sys.modules.pop("MetaTrader5", None)
