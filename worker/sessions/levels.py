"""What is used of a limit, reported to people at half, at four fifths and at all of it, each level once."""

from __future__ import annotations

from collections.abc import Mapping

LEVELS = ((1.0, "critical"), (0.8, "warning"), (0.5, "info"))


class Levels:
    """``reached``: the highest level of each name that was reported to people.

    >>> levels = Levels()
    >>> [levels.passed("drawdown", share) for share in (0.4, 0.55, 0.6, 0.99, 1.2, 1.3)]
    [None, (0.5, 'info'), None, (0.8, 'warning'), (1.0, 'critical'), None]
    >>> levels.forget("drawdown"); levels.passed("drawdown", 0.5)
    (0.5, 'info')
    """

    def __init__(self, reached: Mapping[str, float] | None = None) -> None:
        self.reached = dict(reached or {})

    def passed(self, name: str, share: float) -> tuple[float, str] | None:
        """The level and its severity where a higher one than before is reached."""
        level, severity = next(((level, severity) for level, severity in LEVELS if share >= level), (0.0, ""))
        if level <= self.reached.get(name, 0.0):
            return None
        self.reached[name] = level
        return level, severity

    def forget(self, name: str) -> None:
        """It begins anew."""
        self.reached.pop(name, None)
