"""Every state of a paper trading session at three widths, light and dark: one session is worked halfway, and stands in the database in each of its states."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from tests.e2e.conftest import Installation, start, stop
from tests.e2e.looking import faults, settled
from tests.e2e.test_every_page import SCHEMES, WIDTHS, picture
from tests.e2e.test_every_page import names as names
from worker.desk import Desk
from worker.owner import OWNER
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import load
from worker.store import Store, schema
from worker.store import session_asking as asking
from worker.store.sessions import lease_of

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
NAME, BARS = "Working", 900
RULES = {
    "account": {"balance": 10_000.0, "currency": "USD"}, "sizing": {"kind": "fraction_at_risk", "value": 0.01}, "limits": {"open_risk": 0.012, "rate": 2, "daily_loss": 0.05, "max_drawdown": 0.2},
}  # fmt: skip
PLAN = {"series": ["EURUSD M5"], "strategies": [{"name": "breakout", "params": {"lookback": 10, "quiet": 0.0}}, {"name": "simple_ma", "params": {"fast": 3, "slow": 8}}], "rules": RULES}
PROPOSAL = dict(order_id=7, ts=1_704_200_000_000_000_000, bar_ts=1_704_199_700_000_000_000, series="EURUSD M5", strategy="breakout", side="long", order="market", price=None, stop_loss=1.0942, tag="", verdict="proposed", reason="", lots_requested=None, lots_given=None)
AWAY = dict(differences=[], foreign=[], unprotected=[], unknown=[], waiting=[], alarms=[])
ACCOUNT = dict(currency="USD", balance="10012.5", equity="10030.1", margin_used="120.0", margin_free="9910.1")
DIFFERENCE = dict(client_id="Working-3-1", instrument="EURUSD", expected="0.30", actual="0.10", sentence="order Working-3-1: the session has 0.30 lots, the broker 0.10")
BROKER = dict(at=1_704_200_000_000_000_000, state="", trouble="", account=ACCOUNT, leaving=[])
STATES: dict[str, dict[str, Any]] = {       # name of the session -> what of it is other
    "Ready": dict(state="ready", view={}),
    "Waiting": dict(view={}),
    "Paused": dict(view=dict(state="paused")),
    "Halted": dict(view=dict(state="halted", losses=[0, 10_000.0, 10_000.0, 9_480.0, dict(daily_loss=1.0)])),
    "Differs": dict(broker="oanda", view=dict(broker={**BROKER, **AWAY, "state": "differs", "differences": [DIFFERENCE]}, broker_watch=dict(raised=dict(a=DIFFERENCE["sentence"] + ". No entries until then")))),
    "Broker away": dict(broker="oanda", view=dict(broker={**BROKER, **AWAY, "state": "away", "trouble": "OANDA does not answer: the connection was refused"})),
    "Approve": dict(mode="approve", view=dict(proposals=[PROPOSAL])),
    "Failed": dict(state="error", note="In pullback.py, line 12: ZeroDivisionError, division by zero. The details are in the log."),
    "Stopped": dict(state="stopped"),
}


def bars_of(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    price = 1.1 * np.exp(np.cumsum(rng.normal(0, 3e-4, count + 1)))
    opens, closes = price[:-1].round(5), price[1:].round(5)
    high, low = np.maximum(opens, closes) + 1e-4, np.minimum(opens, closes) - 1e-4
    ts = pd.date_range("2024-01-01T22:00Z", periods=count, freq="5min", unit="ns")
    return pd.DataFrame(dict(ts=ts, open=opens, high=high.round(5), low=low.round(5), close=closes, volume=1.0, spread=1e-4))


def copied(store: Store, name: str, other: dict[str, Any]) -> None:
    """The session once more, under another name and in another state."""
    given = {key: other[key] for key in ("state", "note", "broker", "mode") if key in other}
    with store.engine.begin() as connection:
        for table, column in ((schema.sessions, "name"), (schema.session_states, "session"), (schema.session_tape, "session"), (schema.session_rows, "session")):
            rows = [dict(row) for row in connection.execute(sa.select(table).where(table.c[column] == NAME)).mappings()]
            for row in rows:
                row[column] = name
                if table is schema.sessions:
                    row |= given
                if table is schema.session_states and "view" in other:
                    row["view"] = {**row["view"], **other["view"]} if other["view"] else {}
            connection.execute(sa.insert(table), rows)
    if "state" not in other:
        with store.unit() as unit:
            unit.leases.take(lease_of(name), OWNER)


@pytest.fixture(scope="module")
def states(tmp_path_factory) -> Iterator[Installation]:
    """The program, and the sessions in its database. Nobody works on them: they are those of a terminal, held by this test."""
    running = start(tmp_path_factory.mktemp("states") / "var", TIDEMARK_EXAMPLE="false", TIDEMARK_WORK_LEASE="600")
    settings = load(environment=running.environment)
    store = Store(settings.database_url, settings.frames_url)
    with store.unit() as unit:
        asking.start(unit, NAME, PLAN, {"feed": "replay", "frames": {"EURUSD M5": store.frames.put(bars_of(BARS))}, "speed": 1e12, "foreground": True}, "anna")
    runner = Runner(store, settings, LiveAccounts(), only=NAME)
    until = time.monotonic() + 300
    while (not runner.held or runner.held[NAME].ts < pd.Timestamp("2024-01-03T23:00Z").value or not runner.held[NAME].exposed) and time.monotonic() < until:
        runner.step()
    runner.leave()
    for name, other in STATES.items():
        copied(store, name, other)
    with store.unit() as unit:
        unit.leases.take(lease_of(NAME), OWNER)
    yield running
    stop(running)


@pytest.fixture(scope="module")
def desk(states) -> Desk:
    settings = load(environment=states.environment)
    return Desk(Store(settings.database_url, settings.frames_url), settings, "anna", send=lambda *_: False)


@pytest.fixture(scope="module")
def tab(chromium, states) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    created = context.new_page()
    created.set_default_timeout(90_000)
    yield created
    context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_state_of_a_session_is_wider_than_the_window_clipped_faint_raw_or_broken(tab, states, desk, names, width, scheme):
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert {row.name: row.word for row in desk.paper.all()} | {"Failed": "Failed"} == {row.name: row.word for row in desk.paper.all()}
    wrong = {}
    for name in (NAME, *STATES):
        tab.set_viewport_size({"width": width, "height": 1000})
        tab.goto(f"{states.url}/paper?session={name.replace(' ', '%20')}")
        settled(tab)
        if seen := faults(tab, names):
            wrong[name] = seen
        picture(tab, f"paper-{name.lower().replace(' ', '-')}-{width}-{scheme}")
    assert not wrong, "\n".join(f"{name}: {fault}" for name, seen in wrong.items() for fault in seen)
