"""The sections of a run's report, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import COLUMNS, FAMILIES, GROUPS, METRICS, break_even, group_table, monthly, r_histogram, waterfall
from domain.report import charts
from domain.report.document import Beside, Block, Cell, Document, Figure, Figures, Picture, Prose, Section, Table
from domain.report.figures import (
    DASH,
    bare_money,
    clock,
    exact,
    money,
    monies,
    multiple,
    number,
    percent,
    plural,
    price,
    shown,
    typeset,
    unit,
    words,
)
from domain.report.material import Material
from domain.report.palette import STEPS
from domain.report.settings import declared, titled
from domain.trading.outcomes import DROPS, KINDS, label, sentence

Rows = list[Sequence[str | Cell]]
WORDS = {"passed": ("passes checks", "up"), "doubtful": ("doubtful", "warn"), "failed": ("fails checks", "down"), "open": ("not evaluated", "quiet")}
ANSWERS = {"passed": ("passed", "up"), "doubtful": ("doubtful", "warn"), "failed": ("failed", "down"), "open": ("not evaluated", "quiet")}
LEVELS = {"note": ("note", "quiet"), "warning": ("warning", "warn"), "severe": ("severe", "breach")}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
GROUPED = ("instrument", "side", "session", "weekday", "year", "exit_reason", "regime", "tag")
MOST_GROUPS = 14

def document(m: Material) -> Document:
    badges = [Cell("synthetic bars", "other")] if m.synthetic else []
    built = (growth, months, distribution, costs, groups, refused, remarks, believability, figures_defined, rules, manifest)
    sections = [Section("figures", "", "", [headline(m)]), *(build(m) for build in built)]
    foot = " · ".join(["Tidemark", *([f"run {m.run}"] if m.run else []), f"spec {m.manifest['spec_hash'][:12]}", *([f"created {m.created}"] if m.created else []), "times are UTC"])
    return Document(m.name or m.title, f"{m.title} · {m.sentence}" if m.name else m.sentence, badges, verdict(m), [section for section in sections if section.blocks], foot)


def verdict(m: Material) -> Prose:
    loses = bool(m.metrics.get("trades")) and (m.metrics.get("net_return") or 0.0) <= 0
    word, tone = ("unprofitable", "down") if loses else WORDS[m.belief.level]
    return Prose(typeset(m.belief.verdict), tone, word)


def headline(m: Material) -> Figures:
    f, currency = m.metrics, m.currency
    figures = [
        ("net_return", "Net profit", percent(f["net_return"], 1, True), money(f["net_profit"], currency, True)),
        ("annual_return", "CAGR", percent(f["annual_return"], 1, True), "annual growth"),
        ("max_drawdown", "Max drawdown", percent(f["max_drawdown"]), f"longest: {number(f['longest_drawdown'])} days"),
        ("sharpe", "Sharpe", number(f["sharpe"], 2), "annualised, of daily returns"),
        ("profit_factor", "Profit factor", number(f["profit_factor"], 2), "gross profit ÷ gross loss"),
        ("expectancy_r", "Expectancy", multiple(f["expectancy_r"], 3), f"t-stat {number(f['expectancy_t'], 2)}"),
        ("trades", "Trades", number(f["trades"]), f"win rate {percent(f['win_rate'], 0)}"),
        ("break_even_spread", "Break-even spread", *_breaks_even(m)),
    ]
    return Figures([Figure(title, value, note, METRICS[key].definition) for key, title, value, note in figures])


def _breaks_even(m: Material) -> tuple[str, str]:
    at, mean = m.metrics["break_even_spread"], m.metrics["mean_spread"]
    if len(m.pips) > 1:
        return DASH, "one instrument only"
    if at is not None and at <= 0:
        return "n/a", "loses at zero spread"
    return price(at, m.pip), f"average spread {price(mean, m.pip)}"


# -- pictures ---------------------------------------------------------------------------------------------------------


def growth(m: Material) -> Section:
    note = f"{m.currency}, marked to market at bar close; below it the drawdown"
    pictures = [Picture(m.equity_chart, _equity_lines(m)), Picture(m.drawdown_chart, _drawdown_lines(m))]
    columns = ("From, UTC", "Lowest, UTC", "Recovered, UTC", ">Depth", f">{m.currency}", ">Days", ">To trough", ">To recovery")
    return Section("equity", "Equity and drawdown", note, [*pictures, *([Table(columns, [_drawdown_row(drawdown, lost) for drawdown, lost in zip(m.drawdowns.itertuples(), monies(m.drawdowns["money"]), strict=True)], "Largest drawdowns")] if len(m.drawdowns) else [])])


def _drawdown_row(drawdown: Any, lost: str) -> list[str]:
    days = [number(float(value), 0 if value >= 10 else 1) for value in (drawdown.days, drawdown.fall_days)]
    back = number(float(drawdown.recovery_days), 0 if drawdown.recovery_days >= 10 else 1)
    times = [clock(drawdown.peak_ts), clock(drawdown.trough_ts), "not yet" if pd.isna(drawdown.recovery_ts) else clock(drawdown.recovery_ts)]
    return [*times, percent(float(drawdown.share)), lost, *days, back]


def _equity_lines(m: Material) -> list[str]:
    if m.equity.empty:
        return []
    values = m.equity["equity"].to_numpy(float)
    return charts.skyline(values, values.min(), values.max(), 8, 86, (number(values.min()), number(values.max())))


def _drawdown_lines(m: Material) -> list[str]:
    """Depth from below, so that deep is tall."""
    if m.equity.empty:
        return []
    depth = -m.depth
    width = min(86, len(depth))
    worst = np.maximum.reduceat(depth, np.linspace(0, len(depth), width, endpoint=False).astype(int))
    return ["", *charts.skyline(worst, 0.0, float(worst.max()), 3, width, ("0 %", f"{-100 * worst.max():,.1f} %"))]


def months(m: Material) -> Section:
    if m.equity.empty:
        return Section("months", "Monthly returns")
    table = monthly(m.equity, m.start)
    reach = max(float(table.loc[table["month"] > 0, "share"].abs().max()), 1e-9)
    shares = {(int(row.year), int(row.month)): float(row.share) for row in table.itertuples()}
    years = sorted({year for year, _ in shares})
    rows = [[Cell(str(year), kind="strong"), *(_month(shares.get((year, month)), reach) for month in (*range(1, 13), 0))] for year in years]
    return Section("months", "Monthly returns", "net return of each month and year in per cent, UTC; empty after the account was lost", [Table(("", *(f">{name}" for name in MONTHS)), rows, kind="months")])


def _month(share: float | None, reach: float) -> Cell:
    """White at 0; the colours end at the best and the worst month."""
    if share is None or not np.isfinite(share):
        return Cell("")
    text = number(100 * share, 1, True)
    place = min(max(int((share / reach + 1) / 2 * STEPS), 0), STEPS - 1)
    return Cell(text, "" if text == "0.0" else f"d{place}")


def distribution(m: Material) -> Section:
    if m.trades.empty:
        return Section("distribution", "Trade return distribution (R)")
    pictures = [
        Picture(charts.distribution(m.trades), _histogram_lines(m.trades), "Result in R; the outer bins hold the tails"),
        Picture(charts.excursions(m.trades), (), "MAE and MFE of each trade, by its result"),
    ]
    rows = [_excursion(name, m.trades[chosen]) for name, chosen in (("won", m.trades["pnl"] > 0), ("lost", m.trades["pnl"] < 0)) if chosen.any()]
    columns = ("Trades that", ">Trades", ">Mean R", ">MAE median", ">MAE 90 %", ">MFE median", ">MFE 90 %", ">Bars held")
    return Section("distribution", "Trade return distribution (R)", "R is the result in units of the risk to the initial stop; MAE and MFE are how far a trade went against and for its side", [Beside(pictures), Table(columns, rows)])


def _histogram_lines(trades: pd.DataFrame) -> list[str]:
    bins = r_histogram(trades, width=0.5)
    most = max(int(bins["trades"].max()), 1)
    edges = np.linspace(-3.0, 6.0, len(bins) + 1)
    return [f"{_edge(low, place, len(bins)):>12} {charts.bar(many / most, 60)} {many:,}" for place, (low, many) in enumerate(zip(edges[:-1], bins["trades"], strict=True)) if many]


def _edge(low: float, place: int, count: int) -> str:
    low = low + 0.0
    if place == 0:
        return f"below {number(low + 0.5, 1)} R"
    return f"from {number(low, 1)} R" if place == count - 1 else f"{number(low, 1)} R"


def _excursion(name: str, trades: pd.DataFrame) -> list[str]:
    quantiles = [trades[column].quantile(share) for column in ("mae_r", "mfe_r") for share in (0.5, 0.9)]
    return [name, number(len(trades)), multiple(trades["r"].mean(), 3), *(number(quantile, 2) for quantile in quantiles), number(trades["bars_held"].mean(), 1)]


def costs(m: Material) -> Section:
    if m.trades.empty:
        return Section("costs", "Costs")
    steps = waterfall(m.trades, m.fills)
    most = float(np.abs(steps["money"]).max()) or 1.0
    lines = [f"{row.title:>22} {amount:>14} {charts.bar(abs(row.money) / most, 56)}".rstrip() for row, amount in zip(steps.itertuples(), monies(steps["money"], True), strict=True)]
    table = break_even(m.trades, m.fills, m.pips)
    rows = [[str(row.instrument), number(row.trades), bare_money(row.net, True), bare_money(row.spread_paid), unit(number(row.factor, 2), "×"), number(row.paid, 2), number(row.at, 2)] for row in table.itertuples()]
    columns = ("Instrument", ">Trades", f">Net, {m.currency}", f">Spread paid, {m.currency}", ">Break-even ÷ paid", ">Average, pips", ">Break-even, pips")
    note = f"{m.currency}; spread and slippage are part of the prices, the same fills assumed without them"
    return Section("costs", "Cost attribution, gross to net", note, [Picture(charts.costs(m.trades, m.fills, m.currency), lines), Table(columns, rows, "Break-even spread")])


def groups(m: Material) -> Section:
    if m.trades.empty:
        return Section("groups", "Breakdown")
    tables = [(key, group_table(m.trades, key)) for key in GROUPED]
    blocks = [_group(key, table, m.currency) for key, table in tables if 1 < len(table) <= max(len(m.trades) / 2, 2)]
    return Section("groups", "Breakdown", "trades by what they have in common; hours and days are UTC, of the entry", [Beside(blocks)] if blocks else [])


def _group(key: str, table: pd.DataFrame, currency: str) -> Table:
    shown_ = table if len(table) <= MOST_GROUPS else table.reindex(table["net"].abs().sort_values(ascending=False, kind="stable").index[:MOST_GROUPS])
    named = label if key == "exit_reason" else words
    rows: Rows = [[named(str(row.group)), number(row.trades), percent(row.win_rate, 0), Cell(net, "down" if row.net < 0 else "up"), multiple(row.r_mean, 3)] for row, net in zip(shown_.itertuples(), monies(shown_["net"], True), strict=True)]
    more = f"the {MOST_GROUPS} that moved most money of {len(table)}" if len(table) > MOST_GROUPS else ""
    return Table((GROUPS[key].title, ">Trades", ">Win rate", f">Net, {currency}", ">Mean"), rows, more)


# -- rejected orders, and robustness ------------------------------------------------------------------------------------


def refused(m: Material) -> Section:
    drops = [(key, m.counts.get(key, 0)) for key in DROPS]
    signals = m.entries + m.dropped
    rows: Rows = [[label(key), Cell(sentence(key), kind="wrap"), number(count), percent(count / max(signals, 1))] for key, count in sorted(drops, key=lambda item: -item[1]) if count]
    counted: Rows = [["Entry signals", Cell("Entry signals of the strategy.", kind="wrap"), number(signals)], ["Entries filled", Cell("Entries that were traded.", kind="wrap"), number(m.entries)]]
    if m.bars_of_history:
        counted += [["Bars of history", Cell("Bars before the period: features use them, no signal is decided on them.", kind="wrap"), number(m.bars_of_history)]]
    counted += [["Bars", Cell("Of all instruments.", kind="wrap"), number(m.bars)], ["Ambiguous bars", Cell("Bars that reached stop and target in an unknown order.", kind="wrap"), number(m.ambiguous)]]
    counted += [[label(key), Cell(sentence(key), kind="wrap"), number(m.counts[key])] for key in KINDS if key not in DROPS and m.counts.get(key)]
    blocks: list[Block] = [Table(("Rejected", "Reason", ">Times", ">Of signals"), rows, kind="counted")] if rows else [Prose("No entry was rejected.")]
    return Section("refused", "Rejected orders, and what was counted", f"{number(m.dropped)} of {plural(signals, 'entry signal')} were not traded", [*blocks, *_reviewed(m.reviews), Table(("Counted", "What", ">Times"), counted, kind="counted")])


def _reviewed(reviews: pd.DataFrame) -> list[Table]:
    """The first order of each reason for which size, margin or limits rejected or reduced one."""
    if reviews.empty:
        return []
    named = reviews.assign(reason=reviews["reason"].astype(str), verdict=reviews["verdict"].astype(str))
    times = named.groupby(["reason", "verdict"], sort=False).size()
    rows = [
        [label(review.reason), label(review.verdict), clock(review.ts), str(review.instrument), number(review.lots_requested, 2), number(review.lots_given, 2), number(times[review.reason, review.verdict])]
        for review in named.drop_duplicates(["reason", "verdict"]).itertuples()
    ]
    columns = ("Reason", "Verdict", "First, UTC", "Instrument", ">Lots requested", ">Lots allowed", ">Times")
    return [Table(columns, rows, "Orders that sizing, margin or limits rejected or reduced: the first of each reason")]


def remarks(m: Material) -> Section:
    sentences = [Prose(typeset(remark.sentence), LEVELS[remark.level][1], LEVELS[remark.level][0]) for remark in m.remarks]
    return Section("remarks", "Caveats", "automatic warnings, worst first", sentences or [Prose("There are no warnings.", "up", "clean")])


def believability(m: Material) -> Section:
    rows = [[Cell(test.title, kind="strong"), Cell(test.asks, "quiet", "wrap"), Cell(*ANSWERS[test.answer]), Cell(typeset(test.sentence), kind="wrap")] for test in m.belief.questions]
    trials = [Prose(m.trials, "quiet", "trials")] if m.trials else []
    return Section("believability", "Robustness checks", "a check that was not evaluated never counts as passed", [Table(("Check", "Question", "Result", "Why"), rows), *trials])


# -- where it comes from ------------------------------------------------------------------------------------------------


def figures_defined(m: Material) -> Section:
    """Every metric in the columns that the pages have, then what each is."""
    table = m.statistics
    columns = {name: title for name, (title, _) in COLUMNS.items() if name != "hold" or m.hold is not None}
    blocks: list[Block] = []
    for family, title in FAMILIES.items():
        rows = table[table["family"] == family].to_dict("records")
        blocks.append(Table((title, *(f">{name}" for name in columns.values())), [[row["title"], *(shown(row["key"], row["unit"], row[column], m.currency, m.pip) for column in columns)] for row in rows]))
        blocks.append(Table((title, "Definition"), [[row["title"], Cell(row["definition"], "quiet", "wrap")] for row in rows], kind="defined"))
    notes = [Prose(" ".join(f"{COLUMNS[name][0]}: {COLUMNS[name][1]}" for name in columns if name != "short"))]
    return Section("all", "All metrics, with definitions", "risk metrics are of the returns of trading days", [*notes, *blocks])


def rules(m: Material) -> Section:
    named = [(name, m.spec[name]) for name in ("account", "costs", "execution", "sizing", "limits") if isinstance(m.spec.get(name), Mapping)]
    params = m.spec["strategy"]["params"]
    titles = {name: declared(name, m.spec["strategy"]["name"]) for name, _ in [("strategy", params), *named]}
    tables = [Table((name.capitalize(), ">Value"), [[titled(titles[name], key), _setting(name, key, value)] for key, value in _lines(values)]) for name, values in [("strategy", params), *named] if values]
    return Section("rules", "Settings of this run", "an em dash: the instrument's own, or that of the bars", [Beside(tables)])


def _lines(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Settings one by one; those of single instruments under their names.

    >>> _lines({"slippage": 0.2, "instruments": {"USDJPY": {"slippage": 0.4}}})
    [('slippage', 0.2), ('USDJPY slippage', 0.4)]
    """
    plain = [(key, value) for key, value in values.items() if not isinstance(value, Mapping)]
    return plain + [(f"{name} {key}", own[key]) for value in values.values() if isinstance(value, Mapping) for name, own in value.items() for key in own]


def _setting(section: str, key: str, value: Any) -> str:
    off = section == "limits" and key != "flatten" and exact(value) in ("0", DASH)
    return "off" if off else exact(value)


def manifest(m: Material) -> Section:
    rows = [["spec hash", m.manifest["spec_hash"]], ["engine version", m.manifest["code"]]]
    rows += [[f"bars {dataset['instrument']} {dataset['timeframe']} {dataset['side']}, {int(dataset['bars']):,}", dataset["version"] or DASH] for dataset in m.spec["data"]]
    rows += [[f"result: {words(name)}", value] for name, value in m.hashes.items()]
    rows += [[name, version] for name, version in m.manifest["libraries"].items()]
    table = Table(("What", "SHA-256, or version"), [[name, Cell(value, kind="code")] for name, value in rows])
    return Section("manifest", "Reproducibility", "the same spec on the same engine gives the same bytes", [table, *([Prose(m.note, "quiet", "note")] if m.note else [])])


def tables_of(section: Section) -> Sequence[Table]:
    """All tables of a section, also those placed beside others."""
    inside = [block_ for block in section.blocks for block_ in (block.blocks if isinstance(block, Beside) else (block,))]
    return [block_ for block_ in inside if isinstance(block_, Table)]
