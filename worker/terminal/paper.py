"""``tidemark paper``: sessions of paper trading, and the commands to them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.parsing import object_of
from worker.terminal.paper_analysis import allocate, compare, consistency
from worker.terminal.paper_start import resume, start
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Paper trading: sessions that trade bar by bar as a backtest does, and go on after a crash.")
COLUMNS = ("name", "state", "trades", "series", "source", "equity", "today", "open", "bars")
BROKER_TABLES = ("differences", "foreign", "unprotected", "unknown", "waiting", "leaving")
Name = Annotated[str, typer.Argument(help="Name of the session.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands on the tape and in the audit trail.")]
Strategy = Annotated[str, typer.Option("--strategy", help="Name of the strategy; default: the only one, or all.")]
Instrument = Annotated[str, typer.Option("--instrument", help="Instrument.")]
Series = Annotated[str, typer.Option("--series", help="One series of the instrument, as in EURUSD M5.")]

app.command("start")(start)
app.command("resume")(resume)
app.command("consistency")(consistency)
app.command("compare")(compare)
app.command("allocate")(allocate)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the sessions: state, equity, change of the day, open positions."""
    from worker.terminal.here import desk

    rows = [dict(name=row.name, state=row.state, trades=row.title.partition(" · ")[0], series=row.title.partition(" · ")[2], source=row.source, equity=row.equity, today=row.today, open=row.open, bars=row.bars, note=row.reason) for row in desk().paper.all()]
    say(rows, as_json, COLUMNS)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show a session: state, bars, balance, equity, positions, orders, age of its prices."""
    from worker.terminal.here import desk
    from worker.terminal.paper_shown import readable, shown

    facts = shown(desk().paper.get(name))
    if as_json:
        return say(facts, True)
    say({key: value for key, value in facts.items() if not isinstance(value, (dict, list))}, False)
    for alarm in facts["alarms"]:
        print(f"! {alarm}")
    account = facts["broker_account"]
    tables = {key: facts[key] for key in ("positions", "orders", "proposals", "floors")} | {f"{key} at the broker": account.get(key) for key in BROKER_TABLES}
    for key, rows in tables.items():
        if rows:
            print(f"\n{key}")
            say([readable(row) for row in rows], False, tuple(rows[0]))


@app.command()
def pause(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Pause entries until continue; stops, targets and exits stay active."""
    _give(name, "pause", {}, reason, as_json)


@app.command("continue")
def continue_(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Lift a pause."""
    _give(name, "continue", {}, reason, as_json)


@app.command()
def close(
    name: Name,
    instrument: Instrument = "",
    side: str = typer.Option("", help="Side, long or short; default: both."),
    share: float = typer.Option(1.0, help="Share of the open lots, above 0 up to 1, rounded down to the lot step."),
    series: Series = "",
    strategy: Strategy = "",
    tag: str = typer.Option("", help="Tag of the position."),
    trade: int = typer.Option(0, help="The trade_id of the position."),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Close positions, or a share of each, at the next open."""
    _give(name, "close", dict(instrument=instrument, side=side, share=share if share != 1.0 else "", series=series, strategy=strategy, tag=tag, trade=trade or ""), reason, as_json)


@app.command("close-all")
def close_all(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Close every position at the next open."""
    _give(name, "close-all", {}, reason, as_json)


@app.command()
def order(
    name: Name,
    instrument: Instrument = "",
    side: str = typer.Option(..., help="Side: buy or sell."),
    lots: float = typer.Option(..., help="Lots, rounded down to the lot step."),
    stop: float | None = typer.Option(None, help="Price of the stop loss."),
    target: float | None = typer.Option(None, help="Price of the target."),
    series: Series = "",
    tag: str = typer.Option("", help="Tag; default: one of its own."),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Send a market order, checked by all limits; it fills at the next open."""
    _give(name, "order", dict(instrument=instrument, side=side, lots=lots, stop=stop, target=target, series=series, tag=tag), reason, as_json)


@app.command("set")
def set_(
    name: Name,
    params: str = typer.Option(..., help="Parameters that change, as JSON."),
    strategy: Strategy = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Change parameters of a strategy from its next decision on."""
    _give(name, "set", dict(strategy=strategy, parameters=object_of(params, "--params", '{"lookback": 30}')), reason, as_json)


@app.command()
def enable(name: Name, strategy: Strategy = "", reason: Reason = "", as_json: Json = False) -> None:
    """Let a disabled strategy enter again."""
    _give(name, "enable", dict(strategy=strategy), reason, as_json)


@app.command()
def disable(name: Name, strategy: Strategy = "", reason: Reason = "", as_json: Json = False) -> None:
    """Disable entries of a strategy; its exits, stops and targets stay active."""
    _give(name, "disable", dict(strategy=strategy), reason, as_json)


@app.command()
def blackout(
    name: Name,
    add: str = typer.Option("", help="Windows to add, as in '12:25-12:35 UTC'; several are separated by semicolons."),
    remove: str = typer.Option("", help="Windows to remove, each as it was added."),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Add or remove windows without entries."""
    _give(name, "blackout", dict(add=add, remove=remove), reason, as_json)


@app.command()
def approve(name: Name, order: int = typer.Option(..., help="The order_id of the proposal."), series: Series = "", reason: Reason = "", as_json: Json = False) -> None:
    """Approve a proposal: its order fills at the next open."""
    _give(name, "approve", dict(order=order, series=series), reason, as_json)


@app.command()
def adopt(
    name: Name,
    order: str = typer.Option(..., help="Client id of the order whose position differs, as show lists it, such as gold-5-0."),
    close: bool = typer.Option(False, "--close", help="Close what the broker has of it, too."),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Where the broker's position differs, adopt the broker's lots for an order."""
    _give(name, "adopt", dict(client_id=order, close=close or ""), reason, as_json)


@app.command()
def stop(name: Name, close: bool = typer.Option(False, "--close", help="Close what is open first."), reason: Reason = "", as_json: Json = False) -> None:
    """End a session; with positions open only with --close."""
    _give(name, "stop", dict(close=close or ""), reason, as_json)


@app.command()
def halt(
    name: str = typer.Argument("", help="Name of the session; default: all sessions."),
    strategy: Strategy = "",
    keep: bool = typer.Option(False, "--keep", help="Leave open positions to their stops and targets."),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Kill switch: no order any more, and positions are closed, until release."""
    from worker.terminal.here import desk

    desk().paper.halt(reason, name, strategy, keep)
    say(dict(halted=name or "all sessions", strategy=strategy, reason=reason), as_json)


@app.command()
def release(name: str = typer.Argument("", help="Name of the session; default: the switch of all sessions."), strategy: Strategy = "", reason: Reason = "", as_json: Json = False) -> None:
    """Lift a kill switch; needs --reason."""
    from worker.terminal.here import desk

    desk().paper.release(reason, name, strategy)
    say(dict(released=name or "all sessions", strategy=strategy, reason=reason), as_json)


def _give(name: str, verb: str, arguments: dict[str, Any], reason: str, as_json: bool) -> None:
    """A command with the arguments that were given; others are as declared."""
    from worker.terminal.here import desk

    given = {key: value for key, value in arguments.items() if value not in ("", None)}
    desk().paper.command(name, verb, given, reason)
    say(dict(session=name, command=verb, arguments=given if as_json else " ".join(f"{key}={value}" for key, value in given.items())), as_json)


