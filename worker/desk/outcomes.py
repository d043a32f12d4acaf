"""Titles of a run's counts, dropped orders, verdicts and reasons, those of orders at a broker too."""

from domain.trading import outcomes
from domain.trading.broker_outcomes import AT_BROKER


def label(key: str) -> str:
    """
    >>> label("stop_loss"), label("stale")
    ('Stop loss', 'Price too old')
    """
    return AT_BROKER[key][0] if key in AT_BROKER else outcomes.label(key)


def sentence(key: str) -> str:
    """The meaning of a count; empty if it is unknown."""
    return AT_BROKER[key][1] if key in AT_BROKER else outcomes.sentence(key)
