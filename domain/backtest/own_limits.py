"""The limits that a strategy sets itself, beside those of the account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.trading.rules import Rules


def limited(rules: Rules, strategy: Any) -> Rules:
    """``rules`` under the stricter of two limits of drawdown: the account's and the strategy's own ``max_drawdown``, a share of the peak.
    0 is no limit, and a strategy without one leaves the rules as they are.

    >>> from domain.strategies.gold_buy_dip import GoldBuyDip
    >>> from domain.trading.rules import rules_from
    >>> strict, loose = rules_from({"limits": {"max_drawdown": 0.1}}), rules_from({})
    >>> limited(strict, GoldBuyDip()).limits.max_drawdown, limited(loose, GoldBuyDip()).limits.max_drawdown
    (0.1, 0.5)
    >>> limited(loose, GoldBuyDip(max_drawdown_percent=0.0)).limits.max_drawdown
    0.0
    """
    own, account = float(getattr(strategy, "max_drawdown", 0.0)), rules.limits.max_drawdown
    if not own or (account and account <= own):
        return rules
    return replace(rules, limits=replace(rules.limits, max_drawdown=own))
