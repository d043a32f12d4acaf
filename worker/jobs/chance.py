"""The chance that a path's days, redrawn, pass a rule set; the risk per trade with the highest chance; payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.params import build
from worker.jobs.base import Commit, Work, job
from worker.jobs.compliance import save_result
from worker.jobs.judged import about, title_of
from worker.jobs.paths import stored_path

if TYPE_CHECKING:
    from domain.compliance import Path, RuleSet

FUNDED = "funded"       # the phase that pays out


@job("pass_chance", limit=3_600)
def pass_chance(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: path and rules as for ``judge``; config (values of ``ChanceConfig``), risk (share of equity a trade, 0 as the
    path traded), and payout (values of ``PayoutConfig``)."""
    from domain.compliance import load
    from domain.compliance.days_from_path import at_risk, days_of, risked_shares
    from domain.compliance.drawing import ChanceConfig
    from domain.compliance.passing import chance

    work.stage("Load")
    stored = stored_path(spec, work)
    rule_set = load(spec["rules"]["text"], spec["rules"]["name"], spec["rules"]["phase"])
    path = stored.on_account(rule_set)
    days = days_of(path, rule_set.day)
    at = at_risk(days, path, spec["risk"]) if spec["risk"] else days
    work.stage("Draw days")
    drawn = chance(at, rule_set, build(ChanceConfig, spec["config"]), initial=path.initial, watch=work.within(0.05, 0.5))
    work.stage("Risk per trade")
    shares = risked_shares(path)
    usual = float(np.median(shares)) if len(shares) else 0.0
    curve, sizing = _sizing(days, rule_set, usual, path, spec["config"]["seed"], work)
    work.stage("Payouts")
    counts, paid = _payouts(at, rule_set, path, spec, work)
    tables = dict(breaches=drawn.breaches, progress=drawn.progress, sizing=curve, payouts=counts)
    frames = {name: work.store.frames.put(table) for name, table in tables.items()}
    summary = dict(
        state="", sentence=drawn.sentence, passed=_plain(drawn.passed), failed=_plain(drawn.failed), open=_plain(drawn.open), days_to_target=drawn.days_to_target,
        breaches=[row | dict(title=title_of(str(row["rule"]))) for row in drawn.breaches.to_dict("records")], not_judged={title_of(name): needs for name, needs in drawn.not_judged.items()},
        notes=[*drawn.notes, *filter(None, [stored.about.get("note")])], days=drawn.days, block=drawn.block, usual=usual, risk=spec["risk"], config=dict(spec["config"]), sizing=sizing, payouts=paid, currency=path.currency,
        initial=path.initial, rule_set=about(rule_set, spec["rules"]), path=dict(stored.about),
    )  # fmt: skip
    return save_result("pass_chance", spec, stored, summary, frames, work, "chance_estimated", rules=spec["rules"]["name"])


def _sizing(days: Any, rule_set: RuleSet, usual: float, path: Path, seed: int, work: Work) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The curve of the chance by risk, and its maximum; a sentence where what the trades risked is not known."""
    from dataclasses import replace

    from domain.compliance.sizing_curve import COLUMNS, CURVE, sizing_curve

    if not usual:
        return pd.DataFrame(columns=list(COLUMNS)), dict(best=None, sentence="No trade has a stop, so what each risked is not known.")
    curve = sizing_curve(days, rule_set, replace(CURVE, seed=seed), usual=usual, initial=path.initial, watch=work.within(0.5, 0.85))
    return curve.table, dict(best=_plain(curve.best), sentence=curve.sentence)


def _payouts(days: Any, rule_set: RuleSet, path: Path, spec: Mapping[str, Any], work: Work) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Payouts in the funded phase of the rule set, or by its own rules where it has none."""
    from dataclasses import replace

    from domain.compliance.payouts import COUNTS, YEAR, PayoutConfig, payouts

    phase = FUNDED if FUNDED in rule_set.phases else rule_set.phase
    try:
        paid = payouts(days, rule_set.in_phase(phase), build(PayoutConfig, spec["payout"]), replace(YEAR, seed=spec["config"]["seed"]), initial=path.initial, watch=work.within(0.85, 0.98))
    except BadRequest as refusal:
        return pd.DataFrame(columns=list(COUNTS)), dict(phase=phase, sentence=str(refusal), payouts=None)
    return paid.counts, dict(
        phase=phase, sentence=paid.sentence, payouts=_plain(paid.payouts), any=_plain(paid.any_payout), income=_plain(paid.income), survived=_plain(paid.survived), notes=list(paid.notes),
        horizon=paid.config.horizon,
    )  # fmt: skip


def _plain(estimate: Any) -> dict[str, float] | None:
    return None if estimate is None else dict(value=estimate.value, low=estimate.low, high=estimate.high)
