"""A live account that obeys commands books what the whole run with the same commands books: the same bytes."""

from __future__ import annotations

import os
from random import Random

import pytest

from domain.backtest.commanded import Commanded, replay_commanded
from domain.backtest.live import Booked
from domain.backtest.live_records import joined
from domain.backtest.verbs import Traded, Verbs
from domain.errors import BadRequest
from domain.trading.command import Command
from domain.trading.command import in_order as by_time
from tests.domain.backtest.fed import Feed, Result, in_order, unlike
from tests.reference.cases import Case, case
from tests.reference.drawn_commands import approvals, draw_commands, strategies_of

CASES = int(os.environ.get("TIDEMARK_CASES", "8"))


def fed(drawn: Case, commands: list[Command], ask: bool) -> Result:
    """Bar by bar, each command worked before the first instant after it; stored and restored after every event."""
    feed, booked, coming, remarks = Feed(drawn, kept=True), list[Booked](), list(commands), list[str]()
    verbs = Verbs([Traded(task.instrument, task.timeframe, name) for task, name in zip(drawn.tasks, strategies_of(drawn), strict=True)], drawn.limits.blackout)
    live = feed.simulation()
    live.ask(ask)
    for now in [*feed.instants(), None]:
        while coming and (now is None or coming[0].ts < now):
            remarks += verbs.work(coming.pop(0), live)
            booked += live.taken()
            live = feed.restored(live.store())
        if now is not None:
            feed.ends(live, now)
            feed.opens(live, now)
            booked += live.advance(now, feed.decide(live))
            live = feed.restored(live.store())
    booked.append(live.finish())
    every, present = joined(booked), live.present()
    return Result(*(every[name] for name in ("fills", "trades", "reviews", "equity")), present.counts, present.ambiguous, present.entries, len(remarks))


def differences(drawn: Case, commands: list[Command], ask: bool) -> list[str]:
    try:
        whole = replay_commanded(drawn.tasks, drawn.rules, Commanded(commands, strategies_of(drawn), ask), drawn.rates)
    except BadRequest:
        return []
    live = fed(drawn, commands, ask)
    return unlike(whole.outcome, live) or ([] if len(whole.remarks) == live.largest else [f"remarks: {len(whole.remarks)} != {live.largest}"])


@pytest.mark.parametrize("ask", [False, True])
def test_a_live_account_with_commands_is_the_whole_run(ask):
    for seed in range(CASES):
        drawn, random = in_order(case(seed)), Random(f"live commands {seed} {ask}")
        commands = by_time([*(approvals(drawn, random) if ask else []), *draw_commands(drawn, random)])
        assert differences(drawn, commands, ask) == [], seed
