"""What is stored of a live account, and how it comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.backtest.live_account import PLACE
from domain.backtest.live_bytes import Unpacked
from domain.backtest.live_columns import NAN, Wilder
from domain.backtest.state import ACCOUNT, CURSOR, FLOOR, POSITION, PROTECTION, SIGNAL, WAITING
from domain.compact import compact
from domain.params import values_of
from domain.trading.rules import Rules

if TYPE_CHECKING:
    from domain.backtest.live import LiveSimulation


def stored_text(live: LiveSimulation) -> str:
    """What is stored beside the arrays, as JSON; what changes with commands and signals only was written when it did."""
    sources = compact([[source.end, source.mid, list(source.coming)] for source in live.conversion.sources]) if live.conversion else "[]"
    limits = compact(changed_limits(live)) if live.rules is not live.given else "{}"
    return f'{{"now":{live.now},"limits":{limits},"ask":{int(live.asks)},"bars":{live.bars.text},{live.signals.text},"sources":{sources}}}'


def stored_arrays(live: LiveSimulation) -> list[np.ndarray]:
    account, signals = live.account, live.signals
    state = [account.state["account"], account.cursors, account.positions(), account.pending(), account.waiting()]
    looked_back = [account.recent[: int(account.numbers[PLACE["closed"]])], account.state["entered"], account.state["tails"], account.state["floors"], account.rows[:, 0]]
    return [*state, *looked_back, signals.table[: signals.count], signals.protection_table[: signals.protections], account.final_rate, *live.bars.arrays()]


def rules_in(parts: Unpacked, rules: Rules) -> Rules:
    """The rules with the limits that commands have changed."""
    return replace(rules, limits=replace(rules.limits, **parts.values["limits"]))


def changed_limits(live: LiveSimulation) -> dict[str, Any]:
    given = values_of(live.given.limits)
    return {name: value for name, value in values_of(live.rules.limits).items() if value != given[name]}


def restored(live: LiveSimulation, parts: Unpacked) -> None:
    """Fill a fresh account."""
    values, account = parts.values, live.account
    live.now = values["now"]
    live.ask(bool(values["ask"]))
    state = {name: parts.array(kind) for name, kind in (("account", ACCOUNT), ("cursors", CURSOR), ("positions", POSITION), ("pending", WAITING), ("waiting", WAITING), ("recent", np.float64), ("entered", np.int64), ("tails", np.float64), ("floors", FLOOR))}
    account.rows[:, 0] = parts.array(np.float64)
    _signals(live, values, parts.array(SIGNAL), parts.array(PROTECTION))
    account.final_rate[:] = parts.array(np.float64)
    account.load(state)
    _bars(live, values["bars"], parts)
    for source, (end, mid, coming) in zip(live.conversion.sources if live.conversion else (), values["sources"], strict=True):
        source.end, source.mid = end, mid
        source.coming.extend((moment, price) for moment, price in coming)
    live.bars.look_back()


def _signals(live: LiveSimulation, values: dict[str, Any], table: np.ndarray, protections: np.ndarray) -> None:
    signals = live.signals
    signals.restore(table, protections, values["given"], values["entries"])
    for words, given, known in ((signals.tags, values["words"][0], values["tags"]), (signals.groups, values["words"][1], values["groups"])):
        words.given = given
        for k, word, number in known:
            words.numbers[k, word], words.words[number] = number, word
    live.account.tell(signals=signals.table, protections=signals.protection_table)


def _bars(live: LiveSimulation, values: dict[str, Any], parts: Unpacked) -> None:
    bars, window, account = live.bars, live.bars.window, live.account
    bars.averages.windows, bars.flats.rows = lengths, flats = values["windows"], [(k, text) for k, text in values["flats"]]
    window.make_rows(values["places"], values["count"], atr=len(lengths), flat_at=len(flats), shut_at=len(flats))
    for k, count in enumerate(values["count"]):
        window.take_back(k, parts.array(np.int64), parts.array(np.int8))
        account.tasks["count"][k], account.tasks["open_ended"][k] = count, not values["last"][k]
        *averages, spikes = (Wilder(length, *each) for length, each in zip((*lengths, bars.columns[k].rule.window), values["averages"][k], strict=True))
        bars.averages.of[k], bars.columns[k].spikes = averages, spikes
        bars.columns[k].average = spikes.value if spikes.count > spikes.window else NAN
        bars.finer.coming[k] = [tuple(bar) for bar in values["finer"][k]]
    bars.ended, bars.last = values["ended"], values["last"]
    account.tell_window()
