"""Account, costs, execution, sizing and limits of a run, each with the number that applied and its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.backtest.form import INTRABAR
from app.backtest.rule_fields import SIZERS, SIZING
from app.kit.figures import THIN, exact, number, percent
from app.kit.forms import choice, label
from worker.desk import Desk

COMMISSION = {"per_lot": "{currency} per lot per side", "per_million": "{currency} per million of notional per side", "bps": "basis points of notional per side"}


def rules_of(desk: Desk, run: Any) -> dict[str, str]:
    """Rule -> value, in the order of the page."""
    spec = run.spec
    instruments = desk.backtests.instruments_of(run.id)
    profile = {"Cost profile": spec["cost_profile"]["name"]} if "cost_profile" in spec else {}
    profile |= {"Model": f"{spec['model']['name']}@{spec['model']['version']}: {run.summary['model']['sentence']}"} if spec.get("model") else {}
    profile |= {"Rule set kept": ", ".join(filter(None, (gate.get("name"), gate.get("phase"))))} if (gate := spec.get("gate")) else {}
    return {**_account(spec["account"]), **profile, **_costs(desk, spec, instruments), **_execution(desk, spec["execution"]), **_sizing(spec["sizing"]), **_limits(desk, spec.get("limits", {}))}


def _account(account: Mapping[str, Any]) -> dict[str, str]:
    stop_out = percent(account["stop_out"], 0) if account["stop_out"] else "never"
    return {"Balance": f"{number(account['balance'])}{THIN}{account['currency']}", "Max. leverage": f"{exact(account['leverage'])}:1", "Stop-out margin level": stop_out}


def _costs(desk: Desk, spec: Mapping[str, Any], instruments: list[Any]) -> dict[str, str]:
    costs = desk.backtests.costs_in_pips(spec["costs"], [instrument.name for instrument in instruments])
    commission = COMMISSION[costs["commission_kind"]].format(currency=spec["account"]["currency"])
    spread = f"{exact(costs['spread'])} pips where the data has none" if costs["spread"] is not None else "from data, else " + _per_instrument(instruments, lambda instrument: f"{number(instrument.spread / instrument.pip, 1)} pips")
    rows = {
        "Spread": spread,
        "Slippage": {"fixed": "{} pips", "atr": "{} × ATR", "random": "random, up to {} pips"}[costs["slippage_kind"]].format(exact(costs["slippage"])),
        "Commission": f"{number(costs['commission_per_lot'], 2)} {commission}",
    }
    for side in ("long", "short"):
        given = costs[f"swap_{side}"]
        rows[f"Swap {side}"] = _per_instrument(instruments, lambda instrument, side=side, given=given: f"{number(getattr(instrument, f'swap_{side}') if given is None else given, 2)} {instrument.quote}") + " per lot per night"
    for name, own in costs.get("instruments", {}).items():
        rows[f"Costs of {name}"] = ", ".join(f"{key.replace('_', ' ')} {exact(value)}" for key, value in own.items())
    return rows


def _per_instrument(instruments: list[Any], text: Any) -> str:
    """One value, or that of each instrument where they differ."""
    texts = {instrument.name: text(instrument) for instrument in instruments}
    return next(iter(texts.values()), "the instrument's") if len(set(texts.values())) < 2 else ", ".join(f"{name} {value}" for name, value in texts.items())


def _execution(desk: Desk, execution: Mapping[str, Any]) -> dict[str, str]:
    rows = {"Intrabar fills": INTRABAR[execution["intrabar"]][0], "Exit on opposite signal": choice(execution["reverse_on_opposite"])}
    others = {param.name: param for param in desk.backtests.rule_params("execution") if param.name not in ("intrabar", "reverse_on_opposite")}
    return rows | {label(name, param.unit, param.title): _value(execution.get(name)) for name, param in others.items() if name in execution}


def _sizing(sizing: Mapping[str, Any]) -> dict[str, str]:
    title, scale, _, prefix, _ = SIZERS[sizing["kind"]]
    rows = {"Position sizing": SIZING[sizing["kind"]], title: exact(sizing["value"] * scale)}
    return rows | {label(key, ""): _value(value) for key, value in sizing.items() if prefix and key.startswith(prefix)}


def _limits(desk: Desk, limits: Mapping[str, Any]) -> dict[str, str]:
    return {label(param.name, param.unit, param.title): _value(limits[param.name]) if limits[param.name] not in (0, "") else "off" for param in desk.backtests.rule_params("limits") if param.name in limits}


def _value(value: Any) -> str:
    return choice(value) if isinstance(value, (bool, str)) else exact(value)
