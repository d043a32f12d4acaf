"""MetaTrader 5 in the suite of sources: its package's double in this process, on the clock of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from domain.market import ts_of
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER
from tests.conformance.source_rig import SourceRig, random_bars
from tests.doubles import metatrader

SECRET = "correct horse"
HANGS = 0.6             # seconds that a call hangs, longer than it is waited for
FAULTS = {500: (-1, "Terminal: Call failed"), 503: (-10_000, "IPC call failed"), "cut": (-10_002, "IPC recv failed"), "closed": (-10_001, "IPC send failed"), "half-open": HANGS, "slow": HANGS}


class Served:
    """The double with these bars, loaded as the broker has them."""

    def __init__(self, instrument: str, timeframe: str, bars: pd.DataFrame, point: float, at: int) -> None:
        self.loaded, self.bars, self.point, self.at = (instrument, timeframe), bars, point, at

    def fail(self, fault: int | str, times: int = 1) -> None:
        """As of an HTTP double: the package's errors instead of statuses."""
        if fault == 401:
            self.terminal.fail("initialize", *[(-6, "Terminal: Authorization failed")] * times)
        else:
            self.terminal.fail("copy_rates_range", *[FAULTS[fault]] * times)

    @property
    def watched_requests(self) -> list[object]:
        return [call for call in self.terminal.calls if call[0] == "copy_rates_range"]

    @contextmanager
    def serve(self) -> Iterator[str]:
        terminal = self.terminal = metatrader.install().terminal
        terminal.credentials["password"], terminal.now = SECRET, lambda: self.at / 1e9
        prices = {name: self.bars[name].to_numpy() for name in ("open", "high", "low", "close")}
        spread = np.rint(self.bars["spread"].to_numpy() / self.point)
        terminal.load(*self.loaded, utc=ts_of(self.bars) // 1_000_000_000, **prices, tick_volume=self.bars["volume"].to_numpy(), spread=spread)
        try:
            yield ""
        finally:
            metatrader.remove()


class MetaTraderFX(SourceRig):
    vendor, refused, point, width = "metatrader", "does not let us in", 0.00001, 0.00013
    impossible = frozenset({429, "broken"})
    environment: ClassVar[dict[str, str]] = {LOGIN: "12345678", PASSWORD: SECRET, SERVER: "Double-Demo"}
    secrets: ClassVar[tuple[str, ...]] = (SECRET,)

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars(self.instrument, self.timeframe, spread=self.width)

    def double(self) -> Served:
        return Served(self.instrument, self.timeframe, self.bars, self.point, self.at)


RIGS = (MetaTraderFX,)
