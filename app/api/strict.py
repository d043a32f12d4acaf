"""What JSON leaves open and a request may not use: a field given twice, numbers that are none, letters that no text has, depth without end.

Readers disagree about each of these, so a check could see one order and the desk another.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 32
LARGE = 200_000         # bytes from which on reading is no work for the loop that answers everybody


class _Flaw(ValueError):
    pass


def flaw(body: bytes) -> str:
    r"""Why a body of JSON is not taken; empty where it is, or is no JSON at all, which its reader says with the place.

    >>> flaw(b'{"lots": "1", "lots": "100"}'), flaw(b'[NaN]'), flaw(b'{"a": 1e400}'), flaw(b'["\\u0000"]')
    ('lots is given twice; give it once', 'NaN is no number of JSON; give null or leave it out', '1e400 is too large for a number', 'a text holds U+0000 or half a letter, which no text does')
    >>> flaw(b'{"a": [1.5, null, "x"]}'), flaw(b'{"a":'), flaw(b"[" * 40 + b"]" * 40)
    ('', '', 'it is nested more than 32 deep')
    """
    try:
        _walk(json.loads(body.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_none, parse_float=_finite))
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except RecursionError:
        return f"it is nested more than {DEEPEST} deep"
    except _Flaw as error:
        return str(error)
    except ValueError:
        return ""
    return ""


def letters(text: str) -> bool:
    r"""Whether a database and a file take this text.

    >>> letters("Ω 𝔘"), letters("a\0b"), letters("\ud800")
    (True, False, False)
    """
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Flaw(f"{twice[:80] if letters(twice) else 'a field'} is given twice; give it once")
    return values


def _none(text: str) -> Any:
    raise _Flaw(f"{text} is no number of JSON; give null or leave it out")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Flaw(f"{text[:40]} is too large for a number")
    return value


def _walk(value: Any) -> None:
    level, depth = [value], 0
    while level:
        if any(isinstance(each, str) and not letters(each) for each in level):
            raise _Flaw("a text holds U+0000 or half a letter, which no text does")
        inner = [each for each in level if isinstance(each, dict | list)]
        depth += bool(inner)
        if depth > DEEPEST:
            raise _Flaw(f"it is nested more than {DEEPEST} deep")
        level = [part for each in inner for part in ([*each.keys(), *each.values()] if isinstance(each, dict) else each)]
