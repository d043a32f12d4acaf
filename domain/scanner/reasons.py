"""Why a combination is not proposed: each has one reason, the first of these that holds."""

from __future__ import annotations

REASONS = (     # key, title, sentence
    ("no_signal", "No signal", "The strategy gave no entry signal at the close of the last bar."),
    ("warm_up", "Warm-up", "There are fewer bars than the strategy's features need."),
    ("few_trades", "Too few trades", "The combination has fewer closed trades with an R than are required."),
    ("grade", "Grade", "The grade is not A+ or A, or the signal has no stop, so that Q* is unknown."),
    ("es95", "ES 95", "The expected shortfall of the trade is too large a part of equity."),
    ("correlation", "Correlation", "The trade is too strongly correlated with an open position or an earlier proposal, or the correlation is unknown."),
    ("limit", "Account limit", "A limit of the account, its margin or the smallest lot forbids the order."),
    ("rank", "Rank", "As many combinations with a higher Q* are proposed as there may be."),
)
KEYS = tuple(key for key, *_ in REASONS)
NO_SIGNAL, WARM_UP, FEW_TRADES, GRADE, ES95, CORRELATION, LIMIT, RANK = range(len(REASONS))
PROPOSED = -1       # in place of a reason
