"""What pages call the counts, drops, verdicts and reasons of a run."""

from domain.trading.outcomes import label as label
from domain.trading.outcomes import sentence as sentence
