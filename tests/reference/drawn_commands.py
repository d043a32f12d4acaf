"""Random commands for a case: at instants, between them, before the first and after the last."""

from __future__ import annotations

from random import Random
from typing import Any

from domain.trading.command import Command, command, in_order
from tests.reference.cases import Case

STRATEGIES = ("first", "second", "third", "fourth", "fifth")
WINDOWS = ("12:00-15:30 UTC", "Fri 20:00-Sun 23:00 Europe/Athens", "03:00-02:00 America/New_York", "12:00-15:30 UTC; 08:00-09:00 UTC")
VERBS = ("pause", "continue", "close", "close", "close", "close-all", "order", "order", "order", "enable", "disable", "blackout", "halt", "release", "approve", "approve", "approve")


def strategies_of(case: Case) -> list[str]:
    """A strategy decides on a series once: of several tasks on one, each has its own."""
    series = [f"{task.instrument.name} {task.timeframe}" for task in case.tasks]
    return [STRATEGIES[series[:place].count(name)] for place, name in enumerate(series)]


def draw_commands(case: Case, random: Random, most: int = 12) -> list[Command]:
    """``approve`` comes often, as most proposals are there for one bar only."""
    moments = sorted({ts for task in case.tasks for ts in task.bars["ts"].array.as_unit("ns").asi8.tolist()})
    commands = [_drawn(case, random, random.choice(moments)) for _ in range(random.randint(1, most))]
    return in_order(commands)


def draw_stop(case: Case, random: Random) -> Command:
    """A stop somewhere in the middle, mostly with the positions closed."""
    moments = sorted({ts for task in case.tasks for ts in task.bars["ts"].array.as_unit("ns").asi8.tolist()})
    return command(random.choice(moments[len(moments) // 4 :]) + random.choice((0, 1, -1)), "ana", "stop", {"close": random.random() < 0.7}, "enough")


def approvals(case: Case, random: Random, share: float = 0.6) -> list[Command]:
    """Approvals of many signals, soon after they were decided or too late."""
    commands = []
    for task, strategy in zip(case.tasks, strategies_of(case), strict=True):
        minutes, series = task.timeframe.minutes, f"{task.instrument.name} {task.timeframe}"
        for number, ts in enumerate(task.signals["ts"].array.as_unit("ns").asi8.tolist(), 1):
            if random.random() < share:
                late = random.choice((1.0, 1.0, 1.5, 1.99, 2.0, 3.0)) * minutes * 60_000_000_000
                commands.append(command(ts + int(late), "ana", "approve", {"order": number, "series": series, "strategy": strategy}))
    return commands


def _drawn(case: Case, random: Random, moment: int) -> Command:
    verb = random.choice(VERBS)
    offset = random.choice((0, 0, 1, -1, 60_000_000_000, 1_800_000_000_000, -3_600_000_000_000))
    return command(moment + offset, "ana", verb, _arguments(case, random, verb, moment), "again")


def _arguments(case: Case, random: Random, verb: str, moment: int) -> dict[str, Any]:
    task, strategy = random.choice(list(zip(case.tasks, strategies_of(case), strict=True)))
    if verb in ("enable", "disable"):
        return {"strategy": random.choice(strategies_of(case))}
    if verb in ("halt", "release"):
        chosen = random.choice(("", "", *strategies_of(case)))
        return {"strategy": chosen, **({"keep": random.random() < 0.4} if verb == "halt" else {})}
    if verb == "blackout":
        return {random.choice(("add", "add", "remove")): random.choice(WINDOWS)}
    if verb == "close":
        return _close(case, random)
    if verb == "order":
        return _order(task, random, moment)
    return {"order": random.randint(1, max(task.count, 1)), "series": f"{task.instrument.name} {task.timeframe}", "strategy": strategy} if verb == "approve" else {}


def _close(case: Case, random: Random) -> dict[str, Any]:
    task = random.choice(case.tasks)
    request: dict[str, Any] = {"share": random.choice((1.0, 0.5, 0.5, 1 / 3, 0.9, 0.001, 0.25))}
    for name, value in (("instrument", task.instrument.name), ("series", f"{task.instrument.name} {task.timeframe}"), ("strategy", random.choice(strategies_of(case))), ("side", random.choice(("long", "short"))), ("trade", random.randint(1, 9))):
        if random.random() < 0.15:
            request[name] = value
    return request


def _order(task: Any, random: Random, moment: int) -> dict[str, Any]:
    before = task.bars[task.bars["ts"].array.as_unit("ns").asi8 <= moment]
    price = float((before if len(before) else task.bars)["close"].iloc[-1 if len(before) else 0])
    size = float((task.bars["high"] - task.bars["low"]).mean())
    side, way = random.choice((("buy", 1.0), ("sell", -1.0), ("long", 1.0), ("short", -1.0)))
    request: dict[str, Any] = {"instrument": task.instrument.name, "side": side, "lots": task.instrument.min_lot * random.choice((1.0, 1.0, 1.5, 3.0, 7.7, 20.5, 0.1, 8_000.0))}
    if random.random() < 0.3:
        request["series"] = f"{task.instrument.name} {task.timeframe}"
    if random.random() < 0.6:
        request["stop"] = price - way * size * random.uniform(-0.2, 3.0)
    if random.random() < 0.5:
        target = price + way * size * random.uniform(-0.2, 3.0)
        request |= {"target": target} if "stop" not in request or (target > request["stop"]) == (way > 0) else {}
    if random.random() < 0.2 and task.count:
        request["tag"] = str(task.signals["tag"].iloc[0])
    return request
