"""Parameters of an address: one that an operation does not have, or that is given twice, is refused by its name instead of passed over."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import Any, get_origin

from fastapi import WebSocketException
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.requests import HTTPConnection

from app.api.problem import Problem


async def known(connection: HTTPConnection) -> None:
    """Runs before every operation."""
    given = Counter(name for name, _ in connection.query_params.multi_items())
    if not given:
        return
    lists = {field.alias: get_origin(field.field_info.annotation) in (tuple, list) for field in get_flat_params(connection.scope["route"].dependant) if isinstance(field.field_info, Query)}
    wrong = [dict(field=name[:80], detail=sentence) for name, count in given.items() if (sentence := _wrong(name, count, lists))]
    if wrong and connection.scope["type"] == "websocket":
        raise WebSocketException(1008, _sentence(wrong)[:100])
    if wrong:
        raise Problem(422, _sentence(wrong), errors=wrong[:50])


def _wrong(name: str, count: int, lists: dict[str, bool]) -> str:
    """
    >>> _wrong("limti", 1, {"limit": False}), _wrong("limit", 2, {"limit": False}), _wrong("kind", 2, {"kind": True})
    ('there is no parameter of this name; did you mean limit?', 'is given 2 times; give it once', '')
    """
    if name in lists:
        return f"is given {count} times; give it once" if count > 1 and not lists[name] else ""
    close = get_close_matches(name[:80], lists, 1)
    there = f"did you mean {close[0]}?" if close else f"there are {', '.join(lists)}" if lists else "this address takes none"
    return f"there is no parameter of this name; {there}"


def _sentence(wrong: list[dict[str, Any]]) -> str:
    return "; ".join(f"{each['field']}: {each['detail']}" for each in wrong[:5])
