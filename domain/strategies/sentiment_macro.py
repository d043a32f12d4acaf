"""News and the dollar."""

from __future__ import annotations

from dataclasses import dataclass

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import entered


@strategy("sentiment_macro")
@dataclass(frozen=True)
class SentimentMacro(OnColumns):
    """Enter with the tone of the news where the dollar does not stand against it, and not beside a scheduled release.

    Long condition at the close of bar t:  sentiment(half_life) ≥ sentiment_least  and  dollar_headwind(dollar_window) ≤ dollar_most
    and no release of the instrument's own currencies within release_minutes of the bar's end, before it or after it.
    Short condition:  sentiment ≤ −sentiment_least  and  dollar_headwind ≥ −dollar_most  and no such release.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Where no release is known, before the bar or after it, none stands against it.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); target target_r R; out after max_bars bars. Without headlines: a sentence.

    sentiment(h): mean score of the headlines known by the bar's end, the weight of each halved every h hours.  dollar_headwind(n) = q · dollar_zscore(n):
    q is 1 where the price is in dollars, −1 where the dollar is the base; for others dollar_headwind is 0 and passes.  dollar_zscore(n): the dollar index
    (DXY) off the mean of its last n days, in deviations.  minutes_to_release, minutes_since_release: from the bar's end, 0 included.  atr(n): Wilder's.
    """

    memory = 2
    required = ("sentiment",)
    optional = ("minutes_to_release", "minutes_since_release")

    half_life: float = param(24.0, low=0.01, high=100_000.0, unit="hours", title="Half-life of news", help="hours after which a headline counts half")
    sentiment_least: float = param(0.3, low=0.0, high=1.0, unit="score", title="Least sentiment", help="sentiment from which a long is entered; a short up to its negative")
    dollar_window: int = param(60, low=2, high=2_000, unit="days", title="Dollar length", help="days of the dollar index that its present value is compared with")
    dollar_most: float = param(0.5, low=0.0, high=20.0, unit="deviations", title="Largest dollar headwind", help="how far the dollar may stand against the trade")
    release_minutes: float = param(30.0, low=0.0, high=100_000.0, unit="minutes", title="Quiet around releases", help="no entry this near to a scheduled release of the instrument's own currencies")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")
    target_r: float = param(2.0, low=0.0, high=100.0, unit="R", title="Take profit (R)", help="distance of the target, in multiples of the initial risk; 0: none")
    max_bars: int = param(48, low=0, high=100_000, unit="bars", title="Time stop (bars)", help="bars after which the position is closed; 0: never")

    def features(self) -> tuple[Use, ...]:
        return (
            use("sentiment", half_life=self.half_life),
            use("dollar_headwind", window=self.dollar_window),
            use("minutes_to_release"),
            use("minutes_since_release"),
            use("atr", window=self.atr_window),
        )

    def decisions(self, columns: Columns) -> Rows:
        sentiment, headwind, ahead, since, atr = self.inputs(columns)
        quiet = ~((ahead <= self.release_minutes) | (since <= self.release_minutes))
        long = (sentiment >= self.sentiment_least) & (headwind <= self.dollar_most) & quiet
        short = (sentiment <= -self.sentiment_least) & (headwind >= -self.dollar_most) & quiet
        return entered(columns["close"], long, short, self.stop_atr * atr, "sentiment_macro", target_r=self.target_r, max_bars=self.max_bars)
