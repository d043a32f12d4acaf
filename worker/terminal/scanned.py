"""``--scan``: the definition of a scanner, from a scan of the workspace or the scan.json that ``tidemark scan --out`` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from worker.terminal.report import RunReport

EXAMPLE = '{"spec": {"strategies": [{"name": "breakout", "params": {}}], "criteria": {}}}'


def scan_of(text: str) -> tuple[list[dict[str, Any]], None, dict[str, Any]]:
    """The strategies as a plan names them, no model, and the plan's ``scan``. Instruments, positions and rules are those of the session or backtest."""
    spec = _spec(text)
    if spec.get("model"):
        raise BadRequest("the scan takes the chance of a win from a model, and a scanner that trades bar by bar takes it from its closed trades; give a scan without --model")
    strategies = [_strategy(each) for each in spec.get("strategies", ())]
    if not strategies:
        raise BadRequest(f"the scan {text} names no strategy; give one that was written by tidemark scan")
    equity = {} if spec.get("equity") is None else dict(equity=spec["equity"])
    return strategies, None, dict(criteria=dict(spec.get("criteria") or {}), **equity)


def _spec(text: str) -> Mapping[str, Any]:
    from domain.parsing import is_file, object_of, shown, text_in
    from worker.terminal.here import desk

    if not is_file(Path(text)):
        return desk().scanner.get(text).spec
    spec = object_of(text_in(Path(text)), shown(Path(text).name), EXAMPLE).get("spec")
    if not isinstance(spec, Mapping):
        raise BadRequest(f"{shown(Path(text).name)} has no spec of a scan; give scan.json as tidemark scan --out writes it")
    return spec


def _strategy(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or "name" not in value:
        raise BadRequest("the scan does not name its strategies, for an earlier version wrote it; scan again, and give the new scan.json")
    return dict(name=str(value["name"]), params=dict(value.get("params") or {}), series=[])


def backtested(text: str, series: Sequence[Any], rules: Any, rates: Sequence[Any], commands: Sequence[Any], mode: str) -> RunReport:
    """The backtest of the scanner on these series, as a session of it trades them."""
    from domain.backtest import study
    from domain.scanner.traded import run
    from worker.code import manifest_of

    plan = _plan(text, series, rules, rates, mode)
    result = run(plan, dict(zip(plan.series, series, strict=True)), commands)
    spec = study.spec_of(series, rules, None, commands=commands, ask=mode == "approve")
    spec |= dict(strategy=dict(name="scan", params={}), strategies=[planned.plain() for planned in plan.strategies], scan=dict(plan.scan or {}))
    return RunReport(result, result.remarks(), {**manifest_of(spec, "backtest"), "spec_hash": study.spec_hash(spec)})


def _plan(text: str, series: Sequence[Any], rules: Any, rates: Sequence[Any], mode: str) -> Any:
    from dataclasses import replace

    from domain.live.inputs import Inputs
    from domain.live.plan import Plan
    from domain.scanner.over_time import ScanSelection

    strategies, _, scan = scan_of(text)
    if len({each.side for each in series}) > 1:
        raise BadRequest("the bars quote different sides, and a scanner trades one; give --side, or files of one side")
    names = [f"{each.instrument.name} {each.timeframe}" for each in series]
    values = dict(series=names, strategies=strategies, rules=rules.values(), mode=mode, side=series[0].side, scan=scan)
    plan = Plan.of(values, {each.instrument.name: each.instrument for each in series})
    inputs = Inputs(rates=rates, contexts=dict(zip(names, (each.context for each in series), strict=True)), selection=ScanSelection.of(scan))
    return replace(plan, inputs=inputs)
