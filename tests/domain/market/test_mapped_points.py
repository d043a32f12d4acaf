"""A column mapping whose spread is in points: of the last decimal of the file's own prices, with fractions."""

from __future__ import annotations

from domain.market.instrument import instrument
from domain.market.readers.base import ReadLimits
from domain.market.readers.mapped import Mapped
from domain.market.readers.mapping import ColumnMapping
from tests.domain.market.formats import put

ROLES = ("time", "open", "high", "low", "close", "spread")
SPREADS = (("0", "12", 0.00012), ("", "12", 0.0012), ("0", "12,5", 0.000125))      # the prices' last zeros, points, in price units


def test_points_are_those_of_the_files_prices_and_keep_their_fractions(tmp_path):
    mapping = ColumnMapping(";", ",", 0, {role: at for at, role in enumerate(ROLES, 1)}, clock="UTC", side="bid", spread_unit="points")
    for zero, spread, price in SPREADS:
        path = put(tmp_path, "EURUSD_p.txt", "".join(f"2024-01-09 {at:02d}:00;1,1000{zero};1,1002{zero};1,0998{zero};1,1001{zero};{spread}\n" for at in range(24)))
        raw = Mapped(mapping).read(path, instrument("EURUSD"), ReadLimits(), lambda *_: None)
        assert raw.spread.round(12).tolist() == [price] * 24 and "spread is in points of 0.0" in raw.notes[-1]
