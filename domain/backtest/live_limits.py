"""Other limits on a live account: the warnings of the bars in its window, as if they had always been so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.backtest.kernel.codes import DARK_END, DARK_OPEN, DRIFTED, NEWS, OFF_SESSION
from domain.backtest.live_clocks import is_dark
from domain.backtest.live_columns import NAN, Columns, rule_of, true_range
from domain.backtest.series import Bars

if TYPE_CHECKING:
    from domain.backtest.live_bars import LiveBars

OF_MOMENTS = DARK_OPEN | DARK_END | NEWS | OFF_SESSION      # warnings that follow from a bar's open and end alone


def warn_again(bars: LiveBars, k: int) -> None:
    """Other blackouts, news, sessions."""
    text, window = bars.rules.limits.blackout, bars.window
    ts, end, warn = (window.columns[name][k, : window.count[k]] for name in ("ts", "end", "warn"))
    for b in range(len(ts)):
        opens = DARK_OPEN * (bool(text) and is_dark(text, int(ts[b])))
        ends = DARK_END * (bool(text) and is_dark(text, int(end[b]))) | bars.governed(k, int(end[b]))
        warn[b] = (int(warn[b]) & ~OF_MOMENTS) | opens | (ends if b < bars.ended[k] else 0)


def read_again(bars: LiveBars, k: int, so_far: Bars) -> None:
    """All that the rules read, from the first bar on."""
    columns, before, window = Columns(rule_of(bars.rules.limits, bars.rules.sizing)), NAN, bars.window.columns
    columns.features, bars.columns[k], first = bars.columns[k].features, columns, len(so_far.ts) - bars.ended[k]
    for n in range(len(so_far.ts)):
        ts, end, _, high, low, close, spread = (column[n].item() for column in so_far)
        warn = columns.opened(ts) | columns.ended(end, spread, true_range(high, low, before) if n else NAN, close) | bars.governed(k, end)
        before = close
        if n >= first:
            window["warn"][k, n - first] = warn | (int(window["warn"][k, n - first]) & DRIFTED)
            window["sigma"][k, n - first] = columns.sigma()
    for b in range(bars.ended[k], bars.window.count[k]):
        window["warn"][k, b] = columns.opened(int(window["ts"][k, b]))
