"""Double of Dukascopy's archive: the file of an hour, in its folders whose months count from 00; 404 where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from domain.market.bars import ts_of
from domain.market.readers.bi5_hour import PATH
from tests.domain.market.bi5 import hour as file_of
from tests.doubles.server import Double, HttpRequest, Reply, run

HOUR = 3_600_000_000_000
PARTS = ("open", "high", "low", "close")        # a bar is four ticks


class DukascopyDouble(Double):
    """``bars``: by symbol, bars that are no longer than an hour and begin on its parts, with a spread; ``points``: of a unit of price. ``lost``: hours (as in the path)
    that are empty the first time they are asked for."""

    def __init__(self, bars: Mapping[str, pd.DataFrame], points: int = 100_000, length: int = HOUR) -> None:
        super().__init__()
        self.lost: set[str] = set()
        self._files = {symbol: _files(frame, points, length) for symbol, frame in bars.items()}

    def reply(self, request: HttpRequest) -> Reply:
        match, octets = PATH.search(request.path), {"Content-Type": "application/octet-stream"}
        if not match or not re.fullmatch(r"0\d|1[01]", match["month"]):
            return Reply(404, b"", octets)
        path = "/".join(request.path.split("/")[-5:])
        if path in self.lost:
            self.lost.remove(path)
            return Reply(200, b"", octets)
        start = np.datetime64(f"{match['year']}-{int(match['month']) + 1:02d}-{match['day']}T{match['hour']}", "ns").astype(np.int64)
        files = self._files.get(match["symbol"])
        return Reply(404, b"", octets) if files is None else Reply(200, files.get(int(start), b""), octets)


def _files(bars: pd.DataFrame, points: int, length: int) -> dict[int, bytes]:
    """Hour -> its file."""
    hours: dict[int, list[tuple[int, int, int]]] = {}
    for ts, row in zip(ts_of(bars).tolist(), bars.to_dict("records"), strict=True):
        start = ts - ts % HOUR
        for part, name in enumerate(PARTS):
            bid = round(row[name] * points)
            hours.setdefault(start, []).append(((ts - start + part * length // 8) // 1_000_000, bid, bid + round(row["spread"] * points)))
    return {start: file_of(ticks) for start, ticks in hours.items()}


def main(days: int = 30) -> None:
    """Made-up M5 bars of the last days, four ticks each."""
    from datetime import UTC, datetime, timedelta

    from domain.market import Timeframe, instrument
    from domain.venues.synthetic import RegimeSwitching, generate

    now = datetime.now(UTC)
    bars = generate(RegimeSwitching(start_price=1.1), instrument("EURUSD"), Timeframe.named("M5"), now - timedelta(days=days), now, seed=1)
    run(DukascopyDouble({"EURUSD": bars.assign(spread=0.00008)}, length=HOUR // 12), "TIDEMARK_DUKASCOPY_URL={}")


if __name__ == "__main__":
    main()
