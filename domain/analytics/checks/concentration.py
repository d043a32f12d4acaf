"""Concentration of the profit: in single trades, years, instruments or sides."""

from __future__ import annotations

from domain.analytics.groups import group_table
from domain.analytics.linter import Evidence, Finding, check, number_of, percent


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
    return "warning", f"{percent(won)} of the trades win, but one average loss takes {1 / payoff:,.0f} average wins: tail losses dominate.", 1 / payoff


@check("Trades that were still open at the end make up 10 % of the net or more.")
def open_at_the_end(e: Evidence) -> Finding:
    left = e.trades[(e.trades["exit_reason"] == "end").to_numpy(bool)]
    share = abs(float(left["pnl"].sum())) / abs(e.net) if e.net else 0.0
    return ("note", f"{number_of(len(left), 'trade was', 'trades were')} still open at the end and counted as closed there: {percent(share)} of the net.", share) if share >= 0.1 else None
