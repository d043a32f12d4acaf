"""The funded phase: how many payouts an account makes before a breach, and what they are worth after fee and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.compliance.day_rules import DayRule
from domain.compliance.drawing import ChanceConfig, Estimate, Watch, draws, estimate, unwatched
from domain.compliance.passing import day_rules, in_shares, terms_of, too_little
from domain.compliance.path_days import PathDay, path_days
from domain.compliance.rule import Terms
from domain.compliance.rule_set import RuleSet
from domain.compliance.run_days import RunDays
from domain.params import param

YEAR = ChanceConfig(paths=5_000, horizon=250, histories=100, inner=100)
COUNTS = ("payouts", "probability")


@dataclass(frozen=True)
class PayoutConfig:
    """When and how profit is paid out."""

    every: int = param(10, low=1, high=250, unit="trading days", help="Trading days between two payouts.")
    split: float = param(
        0.8, low=0.0, high=1.0, unit="share", title="Trader's share", help="Share of the profit paid to the trader."
    )
    fee: float = param(0.0, low=0.0, unit="account currency", help="What the attempt costs, paid once.")
    refund: bool = param(False, title="Fee refunded", help="The first payout gives the fee back.")
    keep: float = param(
        0.0, low=0.0, unit="account currency", title="Kept as a buffer", help="Profit that stays in the account."
    )
    least: float = param(
        0.0, low=0.0, unit="account currency", title="Least payout", help="Profit below which nothing is paid."
    )


@dataclass(frozen=True)
class Payouts:
    """``payouts``: expected number before a breach or the horizon; ``income``: expected money of the trader, after
    split and fee. ``counts``: ``payouts probability``. ``survived``: the chance of no breach. None where nothing can
    be computed, and ``sentence`` says why."""

    phase: str
    sentence: str
    payouts: Estimate | None
    any_payout: Estimate | None
    income: Estimate | None
    survived: Estimate | None
    counts: pd.DataFrame
    not_judged: dict[str, str]
    notes: tuple[str, ...]
    config: ChanceConfig
    terms: PayoutConfig


class Paid(NamedTuple):
    """By path: number of payouts, the trader's part of them, whether it broke no rule."""

    number: np.ndarray
    money: np.ndarray
    survived: np.ndarray


def payouts(
    days: RunDays,
    rule_set: RuleSet,
    payout: PayoutConfig = PayoutConfig(),
    config: ChanceConfig = YEAR,
    risk: float = 0.0,
    initial: float = 0.0,
    watch: Watch = unwatched,
) -> Payouts:
    """Payouts of an account that goes on having such days under the rules of a set; its goals (target, days) are left
    out.

    Every ``payout.every`` trading days the closed profit above the initial balance and ``keep`` is paid out, if it is
    at least ``least`` and above 0. A payout lowers balance and equity and no floor: a trailing floor stays where it
    was, a static one counts from the initial balance. A day is judged before its payout."""
    days, terms = in_shares(days, risk), terms_of(rule_set, initial)
    about: dict[str, Any] = dict(config=config, terms=payout)
    rules = day_rules(rule_set, days)
    unjudged = {each.column: ", ".join(each.needs) for each in rules if each.needs}
    if refusal := too_little(days, rules):
        return Payouts(
            rule_set.phase,
            refusal,
            None,
            None,
            None,
            None,
            pd.DataFrame(columns=list(COUNTS)),
            unjudged,
            days.notes,
            **about,
        )
    parts: tuple[list[Paid], list[Paid]] = ([], [])
    done, total = 0, config.paths + config.histories * config.inner
    for repeated, chosen in draws(days, config):
        watch(done / total)
        parts[repeated].append(paid(days, chosen, rules, terms, payout))
        done += chosen.shape[1]
    point, again = (Paid(*map(np.concatenate, zip(*some, strict=True))) for some in parts)
    count, any_, income, survived = (
        _estimate(value(point), value(again), config) for value in (_count, _any, _money, _survived)
    )
    notes = (
        *days.notes,
        "A payout lowers no floor; firms that move a floor at a payout differ from this.",
        *_unjudged(unjudged),
    )
    return Payouts(
        rule_set.phase,
        _sentence(count, income, survived, config),
        count,
        any_,
        income,
        survived,
        _counts(point),
        unjudged,
        notes,
        **about,
    )


def paid(days: RunDays, chosen: np.ndarray, rules: Sequence[DayRule], terms: Terms, payout: PayoutConfig) -> Paid:
    """What each path pays out until a rule fails it, or to the end of ``chosen``, ``(horizon, paths)``."""
    paths = chosen.shape[1]
    judges = [each.start(each.rule, terms, paths) for each in rules if each.start and each.fails]
    live, count, money = np.ones(paths, bool), np.zeros(paths, np.int32), np.zeros(paths)
    for number, day in enumerate(path_days(days, chosen, terms.initial), 1):
        for judge in judges:
            broken, _ = judge(day)
            live = live & ~broken if broken is not None else live
        if number % payout.every == 0:
            amount = np.where(live, due(day, terms.initial, payout), 0.0)
            first = (count == 0) & (amount > 0)
            day.withdraw(amount)
            count += amount > 0
            money += payout.split * amount + (payout.fee * first if payout.refund else 0.0)
        if not live.any():
            break
    return Paid(count, money - payout.fee, live)


def due(day: PathDay, initial: float, payout: PayoutConfig) -> np.ndarray:
    """The profit that is paid out: what is closed and not needed to cover an open loss."""
    profit = np.minimum(day.balance, day.equity) - initial - payout.keep
    return np.where((profit > 0) & (profit >= payout.least), profit, 0.0)


def _count(some: Paid) -> np.ndarray:
    return some.number


def _any(some: Paid) -> np.ndarray:
    return some.number > 0


def _money(some: Paid) -> np.ndarray:
    return some.money


def _survived(some: Paid) -> np.ndarray:
    return some.survived


def _estimate(values: np.ndarray, repeated: np.ndarray, config: ChanceConfig) -> Estimate:
    return estimate(float(values.mean()), repeated.reshape(-1, config.inner).mean(axis=1))


def _counts(point: Paid) -> pd.DataFrame:
    count = np.bincount(point.number)
    return pd.DataFrame(dict(payouts=np.arange(len(count)), probability=count / len(point.number)))


def _unjudged(unjudged: dict[str, str]) -> list[str]:
    return [f"Not judged beyond what days show: {', '.join(unjudged)}."] if unjudged else []


def _sentence(count: Estimate, income: Estimate, survived: Estimate, config: ChanceConfig) -> str:
    return (
        f"Within {config.horizon} trading days it makes {count.value:.2f} payouts before a breach "
        f"(95 % interval {count.low:.2f} to {count.high:.2f}), "
        f"{income.value:,.0f} after split and fee ({income.low:,.0f} to {income.high:,.0f}); "
        f"it is still open at the end with a probability of {100 * survived.value:.1f} % "
        f"({100 * survived.low:.1f} to {100 * survived.high:.1f} %)."
    )
