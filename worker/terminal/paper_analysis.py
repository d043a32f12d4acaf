"""``tidemark paper`` consistency, compare and allocate: what is computed beside sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.terminal.say import Json, say

Names = Annotated[list[str], typer.Argument(help="Names of the sessions.")]
METHODS = "equal, inverse_volatility, risk_parity or mean_variance"
OBJECTIVES = "minimum_variance, utility or ratio"


def consistency(name: str = typer.Argument(..., help="Name of the session."), as_json: Json = False) -> None:
    """Compare a session with the backtest of its tape. Exit status 1 where they differ."""
    from worker.consistency import check, record
    from worker.store.ids import new_id
    from worker.terminal.here import desk

    at = desk()
    analysis = check(at.paper.store, name, at.settings)
    with at.paper.store.unit() as unit:
        record(unit, analysis, at.user, new_id())
    facts = analysis.plain()
    if as_json:
        say(facts, True)
    else:
        for sentence in (analysis.sentence, *(alert.sentence for alert in analysis.alerts[1:]), *analysis.notes):
            print(sentence)
        say({key: value for key, value in analysis.figures.items() if not isinstance(value, list)}, False)
    if not analysis.holds:
        raise typer.Exit(1)


def compare(
    first: str = typer.Argument(..., help="Name of a session."),
    second: str = typer.Argument(..., help="Name of another on the same feed."),
    seed: int = typer.Option(20_260_801, help="Random seed of the bootstrap."),
    as_json: Json = False,
) -> None:
    """Compare two sessions on one feed: mean daily difference of returns, with its 95 % interval from 20 days on."""
    from worker.terminal.here import desk

    analysis = desk().session_analysis.compare(first, second, seed)
    if as_json:
        return say(analysis.plain(), True)
    print(analysis.sentence)


def allocate(
    names: Names,
    method: str = typer.Option("risk_parity", help=f"Method: {METHODS}."),
    objective: str = typer.Option("minimum_variance", help=f"Objective of mean_variance: {OBJECTIVES}."),
    risk_aversion: float = typer.Option(1.0, help="Risk aversion of the objective utility."),
    take: str = typer.Option("", help="Adopt the allocation, with this reason; it is recorded in the audit trail and moves no money."),
    as_json: Json = False,
) -> None:
    """Shares of capital over sessions with at least 60 daily returns; long only, none above one half."""
    from worker.terminal.here import desk

    at = desk()
    analysis = at.session_analysis.allocate(names, method, objective, risk_aversion)
    if take:
        at.session_analysis.take(analysis, take)
    if as_json:
        return say(analysis.plain() | dict(taken=bool(take)), True)
    say([dict(session=name, weight=weight, risk=analysis.risk[name]) for name, weight in analysis.weights.items()], False, ("session", "weight", "risk"))
    print(f"\n{analysis.sentence}{' Taken.' if take else ''}")
