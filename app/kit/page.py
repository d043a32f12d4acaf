"""A page is a module with PAGE and render(desk)."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

SECTIONS = ("", "Research", "Trade", "Evidence", "System")


@dataclass(frozen=True)
class Page:
    """A page's place in the menu: title, section, order in the section, and icon of the bundled font."""

    title: str
    section: str
    order: int
    icon: str


def all_pages(package: ModuleType) -> list[ModuleType]:
    """Every page, in the order of the menu."""
    modules = [importlib.import_module(f"{package.__name__}.{entry.name}") for entry in pkgutil.iter_modules(package.__path__)]
    return sorted(modules, key=lambda module: (SECTIONS.index(module.PAGE.section), module.PAGE.order))
