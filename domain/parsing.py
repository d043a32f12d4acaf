"""JSON and TOML as people write them: errors name line and column, in plain words."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.errors import BadRequest

DEEPEST = 100           # levels of nested lists and objects
LARGEST = 10**308       # of a whole number: a larger one is no floating-point number either
PLACE = re.compile(r"at line (\d+), column (\d+)|at end of document")


def json_of(text: str, what: str, hint: str = "") -> Any:
    """The value that ``text`` holds. ``what`` names the text in the sentence on what is wrong; ``hint`` says how to write it.

    >>> json_of('{"a": [1, 2]}', "--params")
    {'a': [1, 2]}
    >>> json_of('{"a": 1,}', "--params")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params is not JSON: it cannot be read from line 1, column 9 on
    >>> json_of('{"a": 1, "a": 2}', "--params")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params gives 'a' twice; give it once
    """
    try:
        return checked(json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, what)), what)
    except json.JSONDecodeError as error:
        where = f"it cannot be read from line {error.lineno}, column {error.colno} on" if text.strip() else "it is empty"
        raise BadRequest(f"{what} is not JSON: {where}{_hint(hint)}") from None
    except RecursionError:
        raise BadRequest(f"{what} is nested too deeply to be read{_hint(hint)}") from None
    except ValueError:
        raise BadRequest(f"{what} holds a number with too many digits{_hint(hint)}") from None


def object_of(text: str, what: str, hint: str = "") -> dict[str, Any]:
    """As ``json_of``, of a text that holds an object.

    >>> object_of("[1]", "--params", '{"lookback": 20}')
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params is a list; it must be a JSON object. Write it like '{"lookback": 20}'
    """
    value = json_of(text, what, hint)
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
        raise BadRequest(f"{what} is {kind}; it must be a JSON object{_hint(hint)}")
    return value


def toml_of(text: str, what: str) -> dict[str, Any]:
    """
    >>> toml_of("[costs", "rules.toml")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: rules.toml is not TOML: it cannot be read at its end
    """
    try:
        return checked(tomllib.loads(text), what)
    except tomllib.TOMLDecodeError as error:
        place = PLACE.search(str(error))
        where = f"from line {place[1]}, column {place[2]} on" if place and place[1] else "at its end"
        raise BadRequest(f"{what} is not TOML: it cannot be read {where}") from None
    except RecursionError:
        raise BadRequest(f"{what} is nested too deeply to be read") from None
    except ValueError:
        raise BadRequest(f"{what} holds a number with too many digits") from None


def checked(value: Any, what: str) -> Any:
    """The value itself, if no part of it is nested too deeply, no number is too large to compute with, and no text holds a NUL.

    >>> checked({"fast": 10 ** 400}, "--params")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --params holds a number with too many digits
    """
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEEPEST:
            raise BadRequest(f"{what} is nested too deeply to be read")
        if isinstance(item, int) and abs(item) > LARGEST:
            raise BadRequest(f"{what} holds a number with too many digits")
        if isinstance(item, str) and "\0" in item:
            raise BadRequest(f"{what} holds a text with a NUL in it; leave it out")
        parts = item if isinstance(item, list) else [*item, *item.values()] if isinstance(item, dict) else ()
        waiting += [(part, depth + 1) for part in parts]
    return value


def text_in(path: Path) -> str:
    """The text of a file that a person wrote.

    >>> text_in(Path("no such.toml"))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: no such.toml cannot be read: No such file or directory
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest(f"{shown(path)} is not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        raise BadRequest(f"{shown(path)} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def is_file(path: Path) -> bool:
    """Is there a file? What cannot be a path is none.

    >>> is_file(Path("x" * 5_000)), is_file(Path("a\\0b"))
    (False, False)
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Is there a folder? What cannot be a path is none.

    >>> is_folder(Path("x" * 5_000)), is_folder(Path("a\\0b")), is_folder(Path("."))
    (False, False, True)
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def shown(text: object, most: int = 300) -> str:
    """A path, or the beginning of a text, as a message may show it: what cannot be printed is replaced.

    >>> shown("a\\0b.csv"), shown(b"\\x89PNG".decode("latin-1")), shown("x" * 400, 3)
    ('a?b.csv', '?PNG', 'xxx…')
    """
    letters = "".join(letter if letter.isprintable() else "?" for letter in str(text)[:most].encode("utf-8", "replace").decode())
    return letters + ("…" if len(str(text)) > most else "")


def _object(pairs: Sequence[tuple[str, Any]], what: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BadRequest(f"{what} gives {name!r} twice; give it once")
        values[name] = value
    return values


def _hint(hint: str) -> str:
    return f". Write it like '{hint}'" if hint else ""
