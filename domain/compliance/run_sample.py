"""What a run gives for estimates: its days as it traded, or at another risk, and the days that a sizing curve is made
of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from domain.compliance.day import DayClock
from domain.compliance.days_from_path import at_risk, days_of, risked_shares
from domain.compliance.days_from_trades import days_from_trades
from domain.compliance.path import Path
from domain.compliance.run_days import RunDays
from domain.errors import BadRequest

LARGEST = 0.25  # share of equity: a risk per trade above it is a percentage that was meant


@dataclass(frozen=True)
class RunSample:
    """``days``: what ``chance`` and ``payouts`` take, with ``risk`` as their risk. ``curve``: the days a sizing curve
    is made of, with ``usual`` as what they risked; None where trades lack R, and ``no_curve`` says so. ``traded``: the
    median risk of the trades, 0 where it is unknown."""

    days: RunDays
    risk: float  # 0 where the days are shares
    curve: RunDays | None
    usual: float
    no_curve: str
    traded: float


def sample_of_path(path: Path, clock: DayClock, risk: float = 0.0) -> RunSample:
    """Of an equity path: the days in shares, in proportion to ``risk`` where one is given."""
    days, shares = days_of(path, clock), risked_shares(path)
    usual = float(np.median(shares)) if len(shares) else 0.0
    wanted = at_risk(days, path, checked_risk(risk)) if risk else days
    no_curve = "" if usual else "No sizing curve: no trade has an R, so what was risked is not known."
    return RunSample(wanted, 0.0, days if usual else None, usual, no_curve, usual)


def sample_of_trades(trades: pd.DataFrame, clock: DayClock, initial: float, risk: float = 0.0) -> RunSample:
    """Of closed trades alone (see ``results_of``): the days in R where a risk is given, else in shares of an account
    that began with ``initial``."""
    date = _dates(clock)
    r = trades["r"].to_numpy(float) if "r" in trades else np.full(len(trades), np.nan)
    lacking = int((~np.isfinite(r)).sum())
    curve = None if lacking or not len(trades) else days_from_trades(trades, date)
    why = "had no stop" if "r" in trades else "come without a column r"
    no_curve = f"No sizing curve: {lacking} of {len(trades)} trades have no R, for they {why}." if lacking else ""
    if risk:
        checked_risk(risk)
        return RunSample(days_from_trades(trades, date), risk, curve, 0.0, no_curve, 0.0)
    if not initial > 0:
        raise BadRequest(
            "the trades do not say what the account was worth; give its initial balance, or a risk per trade"
        )
    days = days_from_trades(trades, date, initial)
    note = f"Results count as shares of an account that began with {initial:,.2f}."
    return RunSample(
        replace(days, notes=(note, *days.notes)), 0.0, curve, 0.0, no_curve, _traded(days, trades, initial)
    )


def _dates(clock: DayClock) -> Callable[[np.ndarray], np.ndarray]:
    return lambda ns: clock.resets.day[clock.day_of(ns)]


def _traded(days: RunDays, trades: pd.DataFrame, initial: float) -> float:
    """Median share of equity that the trades risked."""
    if "r" not in trades:
        return 0.0
    r, pnl = trades["r"].to_numpy(float), trades["pnl"].to_numpy(float)
    order = np.argsort(trades["exit_ts"].to_numpy(), kind="stable")
    equity = np.empty(len(pnl))
    equity[order] = initial + np.concatenate(([0.0], np.cumsum(pnl[order])[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = pnl / r / equity
    shares = shares[np.isfinite(shares) & (shares > 0)]
    return float(np.median(shares)) if len(shares) else 0.0


def checked_risk(risk: float) -> float:
    """A risk per trade that is plainly a share.

    >>> checked_risk(1.0)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the risk per trade is 1, 100 % of equity; write a share such as 0.01, or 1%
    """
    if not 0.0 < risk <= LARGEST:
        raise BadRequest(
            f"the risk per trade is {risk:g}, {100 * risk:g} % of equity; write a share such as 0.01, or 1%"
        )
    return risk


def risk_of(text: str) -> float:
    """A risk per trade as a person writes it: a share of equity, or percent with the sign.

    >>> risk_of("0.01"), risk_of("0.5 %"), risk_of("")
    (0.01, 0.005, 0.0)
    >>> risk_of("half")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the risk per trade is 'half'; write a share of equity such as 0.01, or percent such as 1%
    """
    words = text.strip()
    if not words:
        return 0.0
    try:
        number = float(words.removesuffix("%")) / (100.0 if words.endswith("%") else 1.0)
    except ValueError:
        raise BadRequest(
            f"the risk per trade is {words!r}; write a share of equity such as 0.01, or percent such as 1%"
        ) from None
    return checked_risk(number)
