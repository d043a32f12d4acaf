"""HistData's M1 files, generic ASCII and NinjaTrader: ``20250302 170000;1.040320;1.040420;1.040290;1.040310;0``, no
header, bid prices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, lines_of
from domain.market.readers.text import read_text

LAYOUT = Layout(";", ("ts", "open", "high", "low", "close", ""), stamps.COMPACT)
LINE = re.compile(r"\d{8} \d{6};[^;]+;[^;]+;[^;]+;[^;]+;(\d+);*\s*")
NAME = re.compile(r"DAT_(ASCII|NT)_|HISTDATA", re.IGNORECASE)
TICK_OF_ONE_SIDE = re.compile(r"\d{8} \d{6}(?: \d{3,7})?;\d+\.?\d*;\d+;*\s*")


class HistData(Reader):
    """Its clock is not the fixed EST that its pages name: see the ``histdata`` clock. Its volume is always 0 and not
    read.
    """

    key = "histdata"
    title = "HistData M1 ASCII"
    family = "HistData"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        if any(TICK_OF_ONE_SIDE.fullmatch(line) for line in lines[:3]):
            raise BadRequest(
                f"{name} holds HistData's NinjaTrader ticks of one side; download its M1 bars, or its ASCII ticks, "
                "which have bid and ask, and import those"
            )
        if not any(LINE.fullmatch(line) for line in lines[:3]) or not _of_histdata(lines, name):
            return None
        return describe(self.key, self.title, name, lines, LAYOUT, "histdata", "bid")

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        raw = read_text(path, LAYOUT, limits, progress)
        return replace(raw, clock="histdata", notes=("volume is not read: HistData writes 0 in every row",))


def _of_histdata(lines: Sequence[str], name: str) -> bool:
    """Whether its name or a column of zeros says that HistData wrote it: NinjaTrader's own files have volumes, and
    another clock.
    """
    volumes = [match[1] for line in lines if (match := LINE.fullmatch(line))]
    return bool(NAME.search(name)) or not any(volume.strip("0") for volume in volumes)


READERS.add(HistData.key, HistData())
