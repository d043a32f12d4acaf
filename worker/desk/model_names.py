"""Which version a person means."""

from __future__ import annotations

from domain.errors import BadRequest
from domain.errors import unknown as unknown_name
from worker.desk.context import required
from worker.store import Model, Unit


def named(unit: Unit, text: str) -> Model:
    """``NAME@VERSION``; ``NAME`` alone is the version in production, else the newest that is not retired."""
    name, at, number = text.strip().partition("@")
    versions = unit.models.versions(name)
    if not versions:
        raise unknown_name("model", name, sorted({model.name for model in unit.models.all()}))
    if at:
        if not number.isdigit() or not (chosen := unit.models.version(name, int(number))):
            raise BadRequest(f"there is no version {number or '(none)'} of {name}; it has {', '.join(str(model.version) for model in reversed(versions))}")
        return chosen
    stages = {model.id: unit.models.stage(model.id) for model in versions}
    usable = [model for stage in ("production", "candidate") for model in versions if stages[model.id] == stage]
    if not usable:
        raise BadRequest(f"every version of {name} is retired; name one as {name}@{versions[0].version}, or train a new one")
    return required(unit.models.get(usable[0].id), "model", name)
