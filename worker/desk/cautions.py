"""What a person should read before a strategy is run: where its own limit stands against the rules of prop firms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.compliance.rule_set import RuleSet, preset, presets
from domain.errors import BadRequest
from domain.params import build
from domain.strategies import STRATEGIES


def cautions(strategy: str, params: Mapping[str, Any]) -> list[str]:
    """Sentences on a strategy that names a drawdown of its own at which it ends; none for others and for parameters that are refused anyway.

    >>> cautions("gold_buy_dip", {})[0]
    'Without a stop it goes on to a drawdown of 50 %, and the prop rule sets here end an account at 4 to 10 %: these parameters break the loss limit of every one of them (7 of 7).'
    """
    if strategy not in STRATEGIES or not hasattr(STRATEGIES[strategy], "max_drawdown"):
        return []
    try:
        own = 100.0 * build(STRATEGIES[strategy], params).max_drawdown
    except BadRequest:
        return []
    allowed = sorted(loss_limits().values())
    broken = sum(1 for limit in allowed if not own or own >= limit)
    far = f"to a drawdown of {own:g} %" if own else "without a limit of drawdown"
    what = f"break the loss limit of every one of them ({broken} of {len(allowed)})" if broken == len(allowed) else f"break the loss limit of {broken} of {len(allowed)}" if broken else "stay within the loss limit of all of them unless a gap jumps it"
    return [f"Without a stop it goes on {far}, and the prop rule sets here end an account at {allowed[0]:g} to {allowed[-1]:g} %: these parameters {what}."]


def loss_limits() -> dict[str, float]:
    """Rule set -> the loss that ends its account, % of the initial balance; those without such a rule are left out.

    >>> limits = loss_limits()
    >>> limits["ftmo-2-step"], limits["topstep-50k"], "esma-retail" in limits
    (10.0, 4.0, False)
    """
    shares = {name: _share(preset(name)) for name in presets()}
    return {name: share for name, share in shares.items() if share is not None}


def _share(rules: RuleSet) -> float | None:
    rule = rules.rule("max_drawdown")
    if rule is None:
        return None
    account = rules.account or 100.0
    return float(100.0 * vars(rule)["amount"].money(account, account) / account)
