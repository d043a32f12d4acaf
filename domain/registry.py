"""Named things of one kind, each registered in the file that defines it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TypeVar

from domain.errors import unknown

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A read-only mapping from name to thing, sorted by name; a wrong name raises an error with the nearest right one.

    >>> colours = Registry("colour")
    >>> colours.add("red", "#f00")
    '#f00'
    >>> colours["rde"]
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no colour named 'rde'; did you mean 'red'?
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        if name in self._things:
            raise ValueError(f"two {self.kind}s are named {name!r}")
        self._things[name] = thing
        return thing

    def __getitem__(self, name: str) -> T:
        try:
            return self._things[name]
        except KeyError:
            raise unknown(self.kind, name, self._things) from None

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __len__(self) -> int:
        return len(self._things)


def discover(package: str, path: list[str]) -> None:
    """Import every module beside a package's ``__init__``, so that one new file is enough."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")
