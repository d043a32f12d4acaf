"""Messages of usage errors: what was written, and what to do."""

from __future__ import annotations

import re
from typing import Any

import typer

from domain.errors import unknown

UsageError: Any = typer.BadParameter.__mro__[1]
WANTED = {"int": "a whole number", "float": "a number", "number": "a number", "bool": "true or false"}


def is_help(error: Any) -> bool:
    """A group without a command: its message is its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def sentence_of(error: Any) -> str:
    """One sentence on a usage error, and where help is."""
    path = error.ctx.command_path if error.ctx else "tidemark"
    return f"{_what(error).removesuffix('?')}. See {path} --help"


def _what(error: Any) -> str:
    kind, param = type(error).__name__, getattr(error, "param", None)
    if kind == "NoSuchOption":
        return str(unknown("option", error.option_name, [option for param_ in error.ctx.command.params for option in param_.opts] if error.ctx else []))
    if kind == "MissingParameter" and param is not None:
        return f"{_name(param)} is missing; give it a value"
    if kind == "BadOptionUsage":
        return f"{error.option_name} needs a value" if "requires" in error.message else f"{error.option_name} takes no value"
    if kind == "BadParameter" and param is not None:
        return _bad_value(error, param)
    if match := re.match(r"No such command ['\"](.*?)['\"]", error.message):
        return str(unknown("command", match[1], error.ctx.command.list_commands(error.ctx)))
    if extra := re.search(r"unexpected extra arguments?(?:\(s\))? \((.*)\)", error.message):
        return f"{extra[1]!r} belongs to no option; write it after the option it is meant for"
    return "the command is incomplete"


def _bad_value(error: Any, param: Any) -> str:
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    if isinstance(low, int) or isinstance(high, int):
        return f"{_name(param)} must be a whole number{_bounds(low, high)}"
    wanted = next((words for kind, words in WANTED.items() if kind in error.message or kind in str(param.bare_type)), "a value of another kind")
    return f"{_name(param)} must be {wanted}{_bounds(low, high)}"


def _bounds(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f" between {low} and {high}" if None not in (low, high) else f" of at least {low}" if low is not None else f" of at most {high}"


def _name(param: Any) -> str:
    """An option as it is written, an argument by its name."""
    long = [option for option in param.opts if option.startswith("--")]
    return long[0] if long else (param.name or "an argument").upper()
