"""The name of a series: an instrument and the timeframe of its bars, as in EURUSD M5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import BadRequest, unknown
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe


@dataclass(frozen=True)
class SeriesName:
    """
    >>> str(SeriesName.read("EURUSD M5")), SeriesName.read("US 500 H1").instrument
    ('EURUSD M5', 'US 500')
    >>> SeriesName.read("EURUSD")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: 'EURUSD' names no series; write an instrument and a timeframe, as in EURUSD M5
    """

    instrument: str
    timeframe: Timeframe

    @classmethod
    def read(cls, text: str) -> SeriesName:
        name, space, timeframe = str(text).strip().rpartition(" ")
        if not space or not name.strip():
            raise BadRequest(f"{text!r} names no series; write an instrument and a timeframe, as in EURUSD M5")
        return cls(name.strip(), Timeframe.named(timeframe))

    def of(self, instruments: Mapping[str, Instrument]) -> Instrument:
        if self.instrument not in instruments:
            raise unknown("instrument", self.instrument, instruments)
        return instruments[self.instrument]

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe}"
