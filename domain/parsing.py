"""JSON and TOML that a person wrote: whatever is wrong with them becomes one sentence."""

from __future__ import annotations

import json
import math
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain.errors import BadRequest

DEEPEST = 100           # levels of lists and objects in each other
SHOWN = 80              # letters of a text in a message


def parse_json(text: str, what: str) -> Any:
    """The value of a JSON text. ``what`` names it in the message, such as --params.

    >>> parse_json('{"lookback": 20}', "--params")
    {'lookback': 20}
    >>> parse_json("[" * 5_000, "--params")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params is not JSON that can be read: lists and objects stand more than 100 deep in each other
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise BadRequest(f"{what} is not JSON that can be read: {_too_deep()}") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"{what} is not JSON: {error}") from None
    except ValueError:
        raise BadRequest(f"{what} holds {_too_long()}") from None
    _check(value, what)
    return value


def parse_json_object(text: str, what: str, example: str = "") -> dict[str, Any]:
    """The same of a text that must be an object.

    >>> parse_json_object("[1]", "--params", '{"lookback": 20}')
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params is '[1]'; it must be a JSON object like '{"lookback": 20}'
    """
    like = f" like '{example}'" if example else ""
    try:
        value = parse_json(text, what)
    except BadRequest as error:
        raise BadRequest(f"{error}{f'. Write it{like}' if like and 'is not JSON:' in str(error) else ''}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"{what} is {clipped(text)}; it must be a JSON object{like}")
    return value


def parse_toml(text: str, what: str) -> dict[str, Any]:
    """The tables of a TOML text.

    >>> parse_toml("a = " + "[" * 5_000, "rules.toml")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: rules.toml is not TOML that can be read: lists and objects stand more than 100 deep in each other
    """
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise BadRequest(f"{what} is not TOML that can be read: {_too_deep()}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"{what} is not TOML: {clipped(str(error), 200, quoted=False)}") from None
    except ValueError:
        raise BadRequest(f"{what} holds {_too_long()}") from None
    _check(value, what)
    return value


def read_text(path: Path, what: str = "") -> str:
    """The text of a file, UTF-8; a path that cannot be one, or a file that cannot be read as text, is a sentence."""
    what = what or shown_path(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest(f"{what} is not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        raise BadRequest(f"{what} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def read_toml_file(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    return parse_toml(read_text(path), shown_path(path))


def shown_path(path: Path | str) -> str:
    """A path as a message shows it: what is not printable is replaced.

    >>> shown_path("a\\0b.csv"), shown_path("bars.csv")
    ('a?b.csv', 'bars.csv')
    """
    return "".join(letter if letter.isprintable() else "?" for letter in str(path).encode("utf-8", "replace").decode())


def clipped(text: str, most: int = SHOWN, quoted: bool = True) -> str:
    """
    >>> clipped("x" * 200, 5), clipped("ab", quoted=False)
    ("'xxxxx…'", 'ab')
    """
    short = shown_path(text[:most]) + ("…" if len(text) > most else "")
    return repr(short) if quoted else short


def _too_deep() -> str:
    return f"lists and objects stand more than {DEEPEST} deep in each other"


def _too_long() -> str:
    return f"a whole number of more than {sys.get_int_max_str_digits():,} digits; write it shorter"


def _check(value: Any, what: str) -> None:
    """Depth, names with NUL, and numbers that are too large to reckon with."""
    for each, depth in _parts(value):
        if depth > DEEPEST:
            raise BadRequest(f"{what} is not {'TOML' if what.endswith('.toml') else 'JSON'} that can be read: {_too_deep()}")
        if isinstance(each, str) and "\0" in each:
            raise BadRequest(f"{what} holds a text with a NUL in it: {clipped(each)}")
        if isinstance(each, int) and each.bit_length() > 1024:
            raise BadRequest(f"{what} holds a whole number of {math.ceil(each.bit_length() * math.log10(2)):,} digits, which is too large to reckon with")


def _parts(value: Any) -> Iterator[tuple[Any, int]]:
    """Everything in it with how deep it stands, without recursion."""
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        yield each, depth
        if depth <= DEEPEST and isinstance(each, dict):
            waiting += [(inner, depth + 1) for pair in each.items() for inner in pair]
        elif depth <= DEEPEST and isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
