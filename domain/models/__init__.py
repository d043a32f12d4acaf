"""Learners: what finds a relation between columns and labels, one file each.

A learner stands before it has seen data, ``Fitted`` after. They know columns of features and nothing of orders, so strategies may use their forecasts.
"""

from __future__ import annotations

from domain.models.base import LEARNERS, Fitted, Learner, Samples, Task, Watch, learner
from domain.registry import discover

__all__ = ["LEARNERS", "Fitted", "Learner", "Samples", "Task", "Watch", "learner"]

discover(__name__, list(__path__))
