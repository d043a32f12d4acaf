"""The order in which metrics are read."""

from __future__ import annotations

from collections.abc import Iterable

from domain.analytics.metrics import FAMILIES, METRICS

FIRST = (
    "net_profit", "net_return", "annual_return", "best_day", "worst_day", "winning_days",
    "sharpe", "sortino", "calmar", "omega", "annual_volatility", "downside_risk", "max_drawdown", "max_drawdown_low", "max_drawdown_closed", "longest_drawdown", "recovery_factor", "value_at_risk", "expected_shortfall", "tail_ratio", "stability",
    "trades", "win_rate", "profit_factor", "payoff", "expectancy_r", "expectancy_t", "system_quality", "average_trade", "average_win", "average_loss", "best_trade", "worst_trade", "winning_streak", "losing_streak",
    "bars_held", "days_held", "exposure", "turnover", "best_r", "worst_r", "r_at_risk", "r_shortfall", "r_skew", "r_kurtosis", "best_trade_share", "best_percent_share",
    "gross_at_mid", "spread_paid", "slippage_paid", "commission_paid", "swap", "costs_share", "mean_spread", "break_even_spread", "break_even_factor",
)  # fmt: skip


def in_reading_order(keys: Iterable[str]) -> list[str]:
    """Keys of metrics by family, the usual ones of each first.

    >>> in_reading_order(["swap", "sharpe", "net_return"])
    ['net_return', 'sharpe', 'swap']
    """
    families, places = list(FAMILIES), {key: place for place, key in enumerate(FIRST)}
    return sorted(keys, key=lambda key: (families.index(METRICS[key].family), places.get(key, len(places)), key))
