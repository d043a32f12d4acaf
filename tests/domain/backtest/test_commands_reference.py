"""The kernel against the reference implementation, with random commands of a person."""

from __future__ import annotations

import os
from functools import partial
from random import Random
from typing import Any

import pytest

from domain.backtest.commanded import Commanded, replay_commanded
from domain.trading import Rules
from domain.trading.command import Command, in_order
from domain.trading.task import Outcome
from domain.trading.verbs import VERBS
from tests.reference import compare
from tests.reference.cases import Case, case
from tests.reference.compare import differences
from tests.reference.drawn_commands import approvals, draw_commands, draw_stop, strategies_of
from tests.reference.execution import replayed

CASES = int(os.environ.get("TIDEMARK_CASES", "800")) // 10
PARTS = 8


def fast(tasks: Any, account: Any, costs: Any, execution: Any, sizing: Any, rates: Any, limits: Any, gate: Any, request: Commanded) -> Outcome:
    return replay_commanded(tasks, Rules(account, costs, execution, sizing, limits, gate), request, rates).outcome


def agree(monkeypatch: pytest.MonkeyPatch, drawn: Case, commands: list[Command], ask: bool) -> list[str]:
    names = strategies_of(drawn)
    monkeypatch.setattr(compare, "fast", partial(fast, request=Commanded(commands, names, ask)))
    monkeypatch.setattr(compare, "slow", partial(replayed, commands=commands, strategies=names, ask=ask))
    return differences(drawn)


@pytest.mark.parametrize("part", range(PARTS))
def test_kernel_and_reference_agree_on_commands(part, monkeypatch):
    for seed in range(part, CASES, PARTS):
        random, drawn = Random(f"commands {seed}"), case(seed)
        lines = agree(monkeypatch, drawn, draw_commands(drawn, random), ask=False)
        assert not lines, f"case {seed}: {lines[:3]}"


@pytest.mark.parametrize("part", range(PARTS))
def test_kernel_and_reference_agree_on_proposals(part, monkeypatch):
    for seed in range(part, CASES // 2, PARTS):
        random, drawn = Random(f"proposals {seed}"), case(seed)
        commands = in_order([*approvals(drawn, random), *draw_commands(drawn, random, 4)])
        lines = agree(monkeypatch, drawn, commands, ask=True)
        assert not lines, f"case {seed}: {lines[:3]}"


def test_kernel_and_reference_agree_on_runs_that_are_stopped(monkeypatch):
    ended = 0
    for seed in range(CASES // 2):
        random, drawn = Random(f"stops {seed}"), case(seed)
        commands = in_order([*draw_commands(drawn, random, 5), draw_stop(drawn, random)])
        lines = agree(monkeypatch, drawn, commands, ask=False)
        assert not lines, f"case {seed}: {lines[:3]}"
        outcome = compare.run(partial(fast, request=Commanded(commands, strategies_of(drawn))), drawn)
        ended += outcome != "refused" and outcome.equity["ts"].iloc[-1] < max(task.bars["ts"].iloc[-1] for task in drawn.tasks)
    assert ended > CASES // 8


def test_the_drawn_commands_reach_every_verb_and_what_it_books():
    reasons, counted, verbs, tickets = set[str](), set[str](), set[str](), 0
    for seed in range(40):
        drawn, random = case(seed), Random(f"commands {seed}")
        commands = draw_commands(drawn, random)
        verbs |= {each.command for each in commands}
        outcome = compare.run(partial(fast, request=Commanded(commands, strategies_of(drawn))), drawn)
        if outcome != "refused":
            reasons |= set(outcome.fills["reason"].astype(str))
            counted |= {name for name, count in outcome.counts.items() if count}
            tickets += int((outcome.fills["order_id"] < 0).sum())
    assert {"manual", "kill_switch"} <= reasons and {"manual_below_step", "halted", "blackout"} <= counted and tickets > 5
    assert verbs == set(VERBS) - {"set", "stop", "adopt"}
