"""Titles of a run's counts, dropped orders, verdicts and reasons."""

from domain.trading.outcomes import label as label
from domain.trading.outcomes import sentence as sentence
