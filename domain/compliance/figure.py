"""Where a figure of a rule set comes from, when it was read, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.errors import BadRequest, unknown

OFFICIAL, SECONDARY, ASSUMED, OWN = "official", "secondary", "assumed", "own"
CONFIDENCES = (OFFICIAL, SECONDARY, ASSUMED, OWN)
OLD_DAYS = 90  # firms change their rules often


@dataclass(frozen=True)
class Figure:
    """``confidence``: official (the firm's own page), secondary, assumed, or own (a person's own value)."""

    source: str
    retrieved: date
    confidence: str

    def __post_init__(self) -> None:
        if self.confidence not in CONFIDENCES:
            raise unknown("confidence", self.confidence, CONFIDENCES)

    def age(self, today: date) -> int:
        return (today - self.retrieved).days


def figure_of(source: object, retrieved: object, confidence: object, where: str) -> Figure:
    """
    >>> figure_of("Rules page", "2026-11-01", "official", "[daily]").age(date(2026, 11, 29))
    28
    """
    for name, value in (("source", source), ("retrieved", retrieved), ("confidence", confidence)):
        if value in (None, ""):
            raise BadRequest(
                f"{where} has no {name}; every figure says its source, the date it was read (retrieved) "
                "and its confidence"
            )
    try:
        day = retrieved if isinstance(retrieved, date) else date.fromisoformat(str(retrieved))
    except ValueError:
        raise BadRequest(f"{where}: retrieved is {str(retrieved)!r}; it must be a date such as 2026-01-31") from None
    return Figure(str(source), day, str(confidence))


def warnings_of(title: str, figures: dict[str, Figure], today: date) -> list[str]:
    """What a reader must know before trusting the figures: their age and their confidence."""
    if not figures:
        return []
    oldest = min(figure.retrieved for figure in figures.values())
    lines = []
    if (age := (today - oldest).days) > OLD_DAYS:
        lines.append(
            f"The rules of {title} were read on {oldest}, {age} days ago; firms change their rules "
            "often, so check them before you rely on this."
        )
    for confidence, word in (
        (ASSUMED, "assumed, not published"),
        (SECONDARY, "from a secondary source"),
        (OWN, "your own values"),
    ):
        names = sorted(name for name, figure in figures.items() if figure.confidence == confidence)
        if names:
            lines.append(f"{', '.join(names)}: {word}.")
    return lines
