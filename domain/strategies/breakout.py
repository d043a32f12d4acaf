"""Channel breakout with an ATR filter, and a filter of breakouts that fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows, sided

FILTERS = ("none", "wick", "model")


@strategy("breakout")
@dataclass(frozen=True)
class Breakout(OnColumns):
    """Donchian breakout: enter next open when the close breaks the N-bar high/low; skipped in low volatility. Stop in
    ATR, target in R.

    A long on each bar t with  close > channel_high(lookback)  and  atr_ratio(atr_window, 100) ≥ quiet  (quiet 0: no such condition), a short with
    close < channel_low(lookback)  and the same. Market order; stop_loss = close − side · stop_atr · atr(atr_window); target target_r R; stop to the entry
    price at break_even_r R; out after max_bars bars. Nothing where one of them is unknown.

    ``fake_filter`` leaves out breakouts that are likely to fail. wick: those whose bar has |body| < body_least or a wick on the broken side, upper_wick of a
    long and lower_wick of a short, > wick_most. model: those that the model named for the run does not take; a run without one is refused. none: all are taken.

    channel_high(n), channel_low(n): highest high and lowest low of the n bars before t.  atr(n): Wilder's.  atr_ratio(n, m): atr(n) over the mean of its
    last m values.  body = (C − O)/(H − L), upper_wick = (H − max(O, C))/(H − L), lower_wick = (min(O, C) − L)/(H − L), 0 for a bar without a range.
    """

    protection = ("stop_atr", "target_r", "break_even_r", "max_bars")

    lookback: int = param(48, low=2, high=2_000, unit="bars", help="length of the channel, without the current bar")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    quiet: float = param(0.8, low=0.0, high=10.0, unit="of mean ATR", title="Min. ATR filter (× 100-bar mean ATR)", help="no entry while ATR is below this multiple of its own 100-bar mean; 0: no filter")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close of the breakout bar")
    target_r: float = param(3.0, low=0.1, high=100.0, unit="R", title="Take profit (R)", help="distance of the target from the entry, in multiples of the initial risk")
    break_even_r: float = param(1.0, low=0.0, high=100.0, unit="R", title="Move stop to breakeven at (R)", help="profit at which the stop moves to the entry price; 0: never")
    max_bars: int = param(96, low=0, high=100_000, unit="bars", title="Time stop (bars)", help="bars after which the position is closed; 0: never")
    fake_filter: str = param("none", choices=FILTERS, title="Fakeout filter", help="none: every breakout; wick: by the body and wick of its bar; model: by the model named for the run")
    body_least: float = param(0.5, low=0.0, high=1.0, unit="share of range", title="Least body (wick filter)", help="body that a breakout's bar has at least, as a share of its range")
    wick_most: float = param(0.3, low=0.0, high=1.0, unit="share of range", title="Largest wick (wick filter)", help="wick on the broken side that it has at most, as a share of its range")

    @property
    def needs_model(self) -> bool:
        return self.fake_filter == "model"

    def unfiltered(self) -> Breakout:
        """The strategy on whose signals a model of ``fake_filter`` model was trained."""
        return replace(self, fake_filter="none") if self.needs_model else self

    def features(self) -> tuple[Use, ...]:
        return (
            use("channel_high", window=self.lookback),
            use("channel_low", window=self.lookback),
            use("atr", window=self.atr_window),
            *([use("atr_ratio", window=self.atr_window)] if self.quiet > 0 else []),
            *([use("body"), use("upper_wick"), use("lower_wick")] if self.fake_filter == "wick" else []),
        )

    def entries(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        top, bottom, atr, *more = self.inputs(columns)
        close = columns["close"]
        awake = more[0] >= self.quiet if self.quiet > 0 else ~np.isnan(atr)
        up, down = (close > top) & awake, (close < bottom) & awake
        if self.fake_filter == "wick":
            body, upper, lower = more[-3:]
            solid = np.abs(body) >= self.body_least
            up, down = up & solid & (upper <= self.wick_most), down & solid & (lower <= self.wick_most)
        return sided(up, down)

    def protected(self, columns: Columns, bar: np.ndarray, side: np.ndarray) -> Rows:
        atr = self.inputs(columns)[2]
        return dict(
            stop_loss=columns["close"][bar] - side * (self.stop_atr * atr[bar]),
            target_r_1=self.target_r,
            break_even_r=self.break_even_r if self.break_even_r > 0 else np.nan,
            max_bars=self.max_bars if self.max_bars > 0 else np.nan,
            tag="breakout",
        )
