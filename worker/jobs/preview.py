"""What a written strategy would have given on the last bars of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.expressions import FALSE, TRUE, UNKNOWN
from domain.features.engine import FeatureTable
from domain.features.expression import column_of
from domain.strategies import decide
from domain.strategies.base import make
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.feature_sets import save_run

SHOWN = 12      # signals


@job("strategy_preview", limit=300)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets (one), timeframe, start, end, strategy, params, and ``bars`` at the end that are counted; features know all before them."""
    work.stage("Load bars")
    feature_set = feature_sets.read(spec, work)
    member = feature_set.members[0]
    work.stage("Decide")
    strategy: Any = make(spec["strategy"], spec["params"])
    table = FeatureTable(member.bars, member.context, feature_set.cache)
    first = max(len(member.bars) - int(spec["bars"]), 0)
    conditions = {}
    for k, (name, tree) in enumerate(strategy.trees.items()):
        work.progress(k / (len(strategy.trees) + 1))
        values = column_of(tree, table.input("columns"), len(member.bars))[first:]
        conditions[name] = {word: int(np.count_nonzero(values == value)) for word, value in (("true", TRUE), ("false", FALSE), ("unknown", UNKNOWN))}
    signals = decide(strategy, member.bars, member.context).table
    signals = signals[(signals["ts"] >= member.bars["ts"].iloc[first]).to_numpy()]
    entries = signals[(signals["order"] != "exit").to_numpy()]
    close = member.bars.set_index("ts")["close"]
    latest = [dict(ts=row.ts.isoformat(), side="long" if row.side > 0 else "short", close=float(close[row.ts]), stop=float(row.stop_loss)) for row in entries.tail(SHOWN).itertuples()]
    summary = dict(
        instrument=member.name, timeframe=spec["timeframe"], bars=len(member.bars) - first, first=member.bars["ts"].iloc[first].isoformat(), last=member.bars["ts"].iloc[-1].isoformat(),
        conditions=conditions, longs=int((entries["side"] > 0).sum()), shorts=int((entries["side"] < 0).sum()), exits=len(signals) - len(entries), latest=latest,
    )  # fmt: skip
    return save_run("strategy_preview", feature_set, work, summary, {})
