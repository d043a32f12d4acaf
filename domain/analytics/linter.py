"""What a reader should know before believing the figures, in sentences. One check, one function; each looks at the evidence that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.groups import group_table
from domain.analytics.metrics import DAY, measure, nanoseconds
from domain.analytics.trades import risked
from domain.errors import listed
from domain.registry import Registry

LEVELS = ("note", "warning", "severe")
NEAR = 2.0                      # a first stop nearer than so many spreads is called near


@dataclass(frozen=True)
class Remark:
    """``figure`` is the number the sentence speaks of: a count, or a share."""

    level: str
    key: str
    sentence: str
    figure: float


@dataclass(frozen=True)
class Evidence:
    """What the checks look at. Whatever is not handed in is not judged."""

    trades: pd.DataFrame
    fills: pd.DataFrame
    equity: pd.DataFrame
    start: float                                                    # balance before the first row
    counts: Mapping[str, int] = field(default_factory=dict)
    signals: int = 0                                                # entry signals
    ambiguous: int = 0
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)    # account, costs, execution, sizing as plain values
    instruments: Mapping[str, Any] = field(default_factory=dict)    # name -> Instrument
    bars: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # instrument name -> bars
    band: tuple[float, float] | None = None                         # net return with ambiguous bars decided pessimistically, optimistically
    out_of_sample: bool | None = None                               # part of the data was unseen when the parameters were chosen; None: unknown
    metrics: Mapping[str, float | None] = field(default_factory=dict)       # those of ``measure``, computed here if not handed in

    @cached_property
    def figures(self) -> Mapping[str, float | None]:
        return self.metrics or measure(self.trades, self.fills, self.equity, self.start)

    @cached_property
    def years(self) -> pd.DataFrame:
        return group_table(self.trades, "year")

    @property
    def net(self) -> float:
        return float(self.trades["pnl"].sum())

    @property
    def days(self) -> float:
        """From the first row of equity to the last."""
        return float((self.equity["ts"].iloc[-1] - self.equity["ts"].iloc[0]) / pd.Timedelta(days=1)) if len(self.equity) else 0.0


Finding = tuple[str, str, float] | None        # level, sentence, figure


@dataclass(frozen=True)
class Check:
    """``needs_trades``: not asked where nothing was traded."""

    key: str
    definition: str
    find: Callable[[Evidence], Finding]
    needs_trades: bool = True


CHECKS: Registry[Check] = Registry("check")


def check(definition: str, needs_trades: bool = True) -> Callable:
    def register(function: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        CHECKS.add(function.__name__, Check(function.__name__, definition, function, needs_trades))
        return function

    return register


def lint(evidence: Evidence) -> tuple[Remark, ...]:
    """Every remark that applies, severest first."""
    asked = [one for one in CHECKS.values() if len(evidence.trades) or not one.needs_trades]
    found = [(one.key, one.find(evidence)) for one in asked]
    remarks = [Remark(said[0], key, said[1], float(said[2])) for key, said in found if said]
    return tuple(sorted(remarks, key=lambda remark: -LEVELS.index(remark.level)))


def worst(remarks: tuple[Remark, ...] | list[Remark]) -> str:
    """
    >>> worst([Remark("note", "a", "A.", 1.0), Remark("severe", "b", "B.", 1.0)]), worst([])
    ('severe', 'none')
    """
    return max((remark.level for remark in remarks), key=LEVELS.index, default="none")


def percent(share: float, digits: int = 0) -> str:
    """
    >>> percent(0.424), percent(0.004), percent(0.0)
    ('42 %', '0.4 %', '0 %')
    """
    return f"{100 * share:,.{1 if 0 < abs(share) < 0.01 else digits}f} %"


def signed(share: float) -> str:
    """
    >>> signed(-0.0312), signed(0.2)
    ('-3.1 %', '+20.0 %')
    """
    return f"{100 * share:+,.1f} %"


def _count(count: float, one: str, many: str = "") -> str:
    """
    >>> _count(1, "trade"), _count(2000, "trade")
    ('1 trade', '2,000 trades')
    """
    return f"{count:,.0f} {one if count == 1 else many or one + 's'}"


# -- is there enough to go by? ----------------------------------------------------------------------------------------


@check("Under 30 trades: severe. Under 100: warning.")
def few_trades(e: Evidence) -> Finding:
    n = len(e.trades)
    return ("severe" if n < 30 else "warning", f"Only {_count(n, 'trade')}: too few to tell an edge from luck.", n) if n < 100 else None


@check("Under a quarter of a year: severe. Under a year: warning. Under two: note.")
def short_span(e: Evidence) -> Finding:
    if e.days >= 730:
        return None
    level = "severe" if e.days < 91 else "warning" if e.days < 365 else "note"
    return level, f"The run covers {e.days:,.0f} days: {'not even one of each season' if e.days < 365 else 'few kinds of market fit into them'}.", e.days


@check("All of the data was seen when the parameters were chosen.")
def no_out_of_sample(e: Evidence) -> Finding:
    return ("warning", "No part of the data was kept unseen: these figures are in sample.", 1.0) if e.out_of_sample is False else None


@check("Signals came, but nothing was traded.", needs_trades=False)
def nothing_traded(e: Evidence) -> Finding:
    if len(e.trades) or not e.signals:
        return None
    why = [f"{key} {count:,}" for key, count in sorted(e.counts.items(), key=lambda item: -item[1]) if count]
    return "severe", f"{_count(e.signals, 'signal')}, but no trade: {listed(why, 3) or 'no order was reached'}.", e.signals


# -- who carries the profit? ------------------------------------------------------------------------------------------


@check("The best trade makes 20 % of the net or more: warning. Half of it: severe.")
def one_trade(e: Evidence) -> Finding:
    share = e.trades["pnl"].max() / e.net if e.net > 0 else 0.0
    if share < 0.2:
        return None
    rest = " Without it the run loses." if share > 1 else ""
    return "severe" if share >= 0.5 else "warning", f"{percent(share)} of profit comes from one trade.{rest}", share


@check("Of 200 trades or more, the best hundredth makes more than all others together.")
def best_percent(e: Evidence) -> Finding:
    share = e.figures.get("best_percent_share") or 0.0
    if len(e.trades) < 200 or share <= 0.5:
        return None
    return ("severe" if share > 1 else "warning"), f"{percent(share)} of profit comes from the best 1 % of the trades{'; without them the run loses' if share > 1 else ''}.", share


@check("Of three calendar years or more, one makes 60 % of the net or more: warning. All of it: severe.")
def one_year(e: Evidence) -> Finding:
    table = e.years
    if len(table) < 3 or e.net <= 0:
        return None
    best = table.loc[table["net"].idxmax()]
    share = best["net"] / e.net
    rest = f" The other {len(table) - 1} lose together." if share > 1 else ""
    return ("severe" if share >= 1 else "warning", f"{best['group']} makes {percent(share)} of the profit of {len(table)} years.{rest}", share) if share >= 0.6 else None


@check("Of three instruments or more, one makes 80 % of the net or more.")
def one_instrument(e: Evidence) -> Finding:
    table = group_table(e.trades, "instrument")
    if len(table) < 3 or e.net <= 0:
        return None
    best = table.loc[table["net"].idxmax()]
    share = best["net"] / e.net
    return ("warning", f"{best['group']} makes {percent(share)} of the profit of {len(table)} instruments.", share) if share >= 0.8 else None


@check("Nine trades in ten are on one side, or one side loses while the other earns.")
def lopsided(e: Evidence) -> Finding:
    table = group_table(e.trades, "side").set_index("group")
    most = table["trades"].idxmax()
    share = table["trades"].max() / len(e.trades)
    if share >= 0.9:
        return "note", f"{percent(share)} of the trades are {most}: a drift of the market alone may have made the result.", share
    if len(table) == 2 and table["net"].min() < 0 < table["net"].max():
        loses, earns = table["net"].idxmin(), table["net"].idxmax()
        return "note", f"Only {earns} trades earn; {loses} ones lose {percent(-table['net'][loses] / table['net'][earns])} of it.", float(-table["net"][loses] / table["net"][earns])
    return None


@check("Eight trades in ten win, and the average loss is three average wins or more.")
def rare_big_losses(e: Evidence) -> Finding:
    won, payoff = e.figures.get("win_rate") or 0.0, e.figures.get("payoff")
    if won < 0.8 or not payoff or payoff > 1 / 3:
        return None
    return "warning", f"{percent(won)} of the trades win, but one average loss takes {1 / payoff:,.0f} average wins: the rare case decides.", 1 / payoff


@check("Trades that were still open at the end make up 10 % of the net or more.")
def open_at_the_end(e: Evidence) -> Finding:
    left = e.trades[(e.trades["exit_reason"] == "end").to_numpy(bool)]
    share = abs(float(left["pnl"].sum())) / abs(e.net) if e.net else 0.0
    return ("note", f"{_count(len(left), 'trade was', 'trades were')} still open at the end and count as closed there: {percent(share)} of the net.", share) if share >= 0.1 else None


# -- is it what would have happened? ----------------------------------------------------------------------------------


@check("Bars whose inside decided a result. Both ways known: severe where the sign hangs on it. Else from 5 % of trades: warning.")
def ambiguous_bars(e: Evidence) -> Finding:
    if not e.ambiguous:
        return None
    how = f"In {_count(e.ambiguous, 'bar')} the order of stop and target is unknown"
    if e.band and e.band[0] <= 0 < e.band[1]:
        return "severe", f"{how}, and they decide the result: net from {signed(e.band[0])} (pessimistic) to {signed(e.band[1])} (optimistic).", e.ambiguous
    between = f": net from {signed(e.band[0])} to {signed(e.band[1])}" if e.band else ""
    decided = e.rules.get("execution", {}).get("intrabar")
    level = "warning" if e.ambiguous >= 0.05 * len(e.trades) else "note"
    return level, f"{how}{between}{f'; they were decided as {decided}' if decided else ''}.", e.ambiguous


@check("Bars that reach stop and target were decided for the target.", needs_trades=False)
def optimistic(e: Evidence) -> Finding:
    if e.rules.get("execution", {}).get("intrabar") != "optimistic":
        return None
    return ("severe" if e.ambiguous else "note"), "Where a bar reached stop and target, the target was taken: this is the upper edge, not an estimate.", e.ambiguous


@check("A quarter of the trades or more end in the bar in which they began.")
def inside_one_bar(e: Evidence) -> Finding:
    share = float((e.trades["bars_held"] == 0).mean())
    return ("warning", f"{percent(share)} of the trades end in the bar in which they began: what happens inside bars decides much. Use finer bars.", share) if share >= 0.25 else None


@check("Trades that lost more than 1.5 R: from 1 % of the trades on, or 5 R at once.")
def beyond_the_stop(e: Evidence) -> Finding:
    r = e.trades["r"].to_numpy(float)
    count = int((r < -1.5).sum())
    lowest = float(np.nanmin(r)) if count else 0.0
    if count < 0.01 * len(r) and lowest > -5:
        return None
    return "note", f"{_count(count, 'trade')} lost more than 1.5 R, the worst {lowest:,.1f} R: gaps and costs go beyond stops.", count


@check("The first stop is nearer than two spreads, on 1 % of the entries or more.")
def stop_near_spread(e: Evidence) -> Finding:
    ratio = _spreads_to_stop(e)
    share = float((ratio < NEAR).sum()) / max(int(np.isfinite(ratio).sum()), 1)
    return ("warning", f"On {percent(share)} of the entries the stop is less than {NEAR:.0f} spreads away: the spread alone is half the risk.", share) if share >= 0.01 else None


def _spreads_to_stop(e: Evidence) -> np.ndarray:
    """First stop's distance ÷ the spread at the entry, for each trade, from money; NaN without R or without a spread."""
    entry = e.fills.drop_duplicates("trade_id")
    half = pd.Series(entry["spread_cost"].to_numpy(float), entry["trade_id"].to_numpy()).reindex(e.trades["trade_id"].to_numpy()).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(half > 0, risked(e.trades) / (2.0 * half), np.nan)


@check("Orders dropped because the stop was already through at the fill: 1 % of the signals or more.", needs_trades=False)
def stop_inside_spread(e: Evidence) -> Finding:
    dropped = e.counts.get("stop_through", 0)
    share = dropped / max(e.signals, dropped, 1)
    return ("warning", f"The stop was inside the spread, or already passed, on {percent(share)} of the entries; these {dropped:,} were dropped.", share) if share >= 0.01 else None


# -- what does it cost? -----------------------------------------------------------------------------------------------


@check("No spread, or neither slippage nor commission, was paid.")
def free_trading(e: Evidence) -> Finding:
    spread, slippage, commission = e.fills["spread_cost"].sum(), e.fills["slippage_cost"].sum(), e.trades["costs"].sum()
    if spread <= 0:
        return "severe", "No spread was paid: these are prices nobody gets.", 0.0
    return ("note", "Neither slippage nor commission is assumed.", 0.0) if not slippage and not commission else None


@check("Net is gone at 1.5 times the spread paid or less: warning. At 1.2 times: severe.")
def thin_margin(e: Evidence) -> Finding:
    factor = e.figures.get("break_even_factor")
    if e.net <= 0 or factor is None or factor >= 1.5:
        return None
    return "severe" if factor < 1.2 else "warning", f"Nothing is left once the spread is {factor:.2f} times the one assumed.", factor


@check("Costs take half of what the trades make at mid prices, or more.")
def costly(e: Evidence) -> Finding:
    share = e.figures.get("costs_share")
    if share is None or share < 0.5:
        return None
    rest = f"{percent(share)} of" if share < 1 else "more than"
    return "warning", f"Costs take {rest} what the trades make at mid prices.", share


@check("An instrument's positions were held past midnight UTC, and none of them ever paid or earned swap.")
def free_nights(e: Evidence) -> Finding:
    first, last = (nanoseconds(e.trades[name]) // DAY for name in ("entry_ts", "exit_ts"))
    names = e.trades["instrument"].astype(str).to_numpy(object)
    charged = set(names[(e.trades["swap"] != 0).to_numpy()])
    free = (last > first) & ~np.isin(names, list(charged))
    if not free.any():
        return None
    weekends = int((free & ((last - 2) // 7 > (first - 2) // 7)).sum())      # day 2 of 1970 was a Saturday
    over = f", {weekends:,} of them over a weekend," if weekends else ""
    level = "warning" if free.mean() >= 0.1 else "note"
    return level, f"{_count(free.sum(), 'trade was', 'trades were')} held past midnight UTC{over} without swap ({listed(dict.fromkeys(names[free]), 3)}).", int(free.sum())


@check("Bars carry no spread of their own.", needs_trades=False)
def assumed_spread(e: Evidence) -> Finding:
    bare = [name for name, bars in e.bars.items() if "spread" not in bars or bars["spread"].isna().all()]
    return ("note", f"The bars of {listed(bare, 3)} carry no spread: one value is assumed at all hours, though it widens at night and on news.", len(bare)) if bare else None


# -- how far was the account stretched? -------------------------------------------------------------------------------


@check("Open losses go twice as deep as closed ones, and 5 % or more.")
def open_losses(e: Evidence) -> Finding:
    low, closed = e.figures.get("max_drawdown_low") or 0.0, e.figures.get("max_drawdown_closed") or 0.0
    if low > -0.05 or low > 2 * closed:
        return None
    return "warning", f"Open losses went to {percent(low, 1)} while closed trades never showed more than {percent(closed, 1)}: the balance hides the risk.", -low


@check("Used margin reached 80 % of equity.")
def stretched(e: Evidence) -> Finding:
    if "used_margin" not in e.equity or e.equity.empty:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        highest = float(np.nanmax(np.append(e.equity["used_margin"].to_numpy(float) / e.equity["equity"].to_numpy(float), 0.0)))
    return ("warning", f"Margin took up to {percent(highest)} of equity.", highest) if highest >= 0.8 else None


@check("The broker closed positions for lack of margin.")
def stopped_out(e: Evidence) -> Finding:
    count = int((e.fills["reason"] == "stop_out").sum())
    return ("severe", f"The broker closed {_count(count, 'position')} for lack of margin.", count) if count else None


@check("Equity fell to 0 or below.", needs_trades=False)
def lost_account(e: Evidence) -> Finding:
    lowest = float(e.equity["equity_low"].min()) if len(e.equity) else 1.0
    return ("severe", "The account was lost: equity fell to 0 or below.", lowest) if lowest <= 0 else None


@check("Trades without a first stop have no R and are in no figure measured in R.")
def without_stop(e: Evidence) -> Finding:
    share = float((~np.isfinite(e.trades["r"].to_numpy(float))).mean())
    return ("note" if share < 0.5 else "warning", f"{percent(share)} of the trades had no stop: figures in R leave them out, and nothing bounds their loss.", share) if share else None


COUNTED = {
    "no_margin": ("warning", "{entries} found too little free margin and {were} dropped."),
    "below_min_lot": ("warning", "Size fell below the minimum lot {times}."),
    "over_max_lot": ("warning", "Size was capped at the maximum lot {times}."),
    "no_stop": ("note", "{entries} needed a stop, had none and {were} dropped."),
    "no_size": ("note", "{entries} had no finite size and {were} dropped."),
    "target_through": ("note", "{entries} found the target already reached and {were} dropped."),
    "halted": ("note", "{entries} came while trading was halted and {were} dropped."),
    "target_below_step": ("note", "A target's share of the lots was below the lot step {times}: nothing left there."),
    "stale_rate": ("note", "A rate older than four days was used for money {times}."),
    "not_magnified": ("note", "{bars} had no finer bars to look into and {were} decided pessimistically."),
    "magnify_mismatch": ("warning", "{bars} reach further than their finer bars, or less far."),
    "shrunk_leverage": ("note", "The limit on leverage made size smaller {times}."),
    "shrunk_currency": ("note", "The limit on a currency made size smaller {times}."),
}


def _counted(key: str, level: str, sentence: str) -> Callable[[Evidence], Finding]:
    def find(e: Evidence) -> Finding:
        n = e.counts.get(key, 0)
        words = dict(entries=_count(n, "entry", "entries"), bars=_count(n, "bar"), times="once" if n == 1 else f"{n:,} times", were="was" if n == 1 else "were")
        return (level, sentence.format(**words), n) if n else None

    return find


for _key, (_level, _sentence) in COUNTED.items():
    CHECKS.add(_key, Check(_key, f"The count {_key} of the execution model.", _counted(_key, _level, _sentence), needs_trades=False))


@check("Entries refused by limits: from 10 % of the signals on a warning, as the run is then of the limits as much as of the strategy.", needs_trades=False)
def refused_by_limits(e: Evidence) -> Finding:
    refused = {key: count for key, count in e.counts.items() if (key.startswith("limit_") or key == "blackout") and count}
    total = sum(refused.values())
    if not total:
        return None
    share = total / max(e.signals, total)
    told = listed((f"{key.removeprefix('limit_')} {count:,}" for key, count in sorted(refused.items(), key=lambda item: -item[1])), 3)
    return ("warning" if share >= 0.1 else "note"), f"Limits refused {_count(total, 'entry', 'entries')}, {percent(share)} of the signals ({told}).", share
