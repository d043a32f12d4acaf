"""What is shown of a session, as the text of its JSON column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any

from worker.store.engine import Encoded, json_text

STRATEGIES = "strategies"


class Shown:
    """Strategies change with commands only, so their text is kept.

    >>> from domain.live.worked import View
    >>> Shown().text(View(1, "running", 1, 5.0, 5.0, strategies=(dict(name="momentum"),)), dict(begun=1)).text[-64:]
    '"dropped": {}, "begun": 1, "strategies": [{"name": "momentum"}]}'
    """

    def __init__(self) -> None:
        self._strategies: Any = None
        self._text = ""

    def text(self, view: Any, more: Mapping[str, Any]) -> Encoded:
        """``view``: a dataclass; ``more``: what stands beside its fields."""
        kind: Any = type(view)
        names, read = _fields(kind)
        own = json_text(dict(zip(names, read(view), strict=True), **more))
        if (strategies := getattr(view, STRATEGIES, ())) is not self._strategies:
            self._strategies, self._text = strategies, json_text(strategies)
        return Encoded(f'{own[:-1]}, "{STRATEGIES}": {self._text}}}')


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Any]:
    names = tuple(each.name for each in fields(kind) if each.name != STRATEGIES)
    return names, attrgetter(*names)
