"""One file a kind of rule; the registry finds it."""

from domain.registry import discover

discover(__name__, __path__)
