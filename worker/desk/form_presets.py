"""Presets of the backtest form: its settings under a name, without data and period."""

from __future__ import annotations

from typing import Any

from domain.errors import BadRequest
from worker.desk.backtests import RULES, BacktestRequest, Backtests
from worker.desk.context import DeskContext, required
from worker.store.form_presets import FormPreset

LONGEST = 64            # letters of a name
KEPT = ("strategy", "params", "timeframe", "cost_profile", "model", "gate", *RULES)     # of a spec


class FormPresetsView:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests = context, Backtests(context)

    def names(self) -> list[str]:
        """In the order of the alphabet."""
        with self._context.store.read() as unit:
            return unit.form_presets.names()

    def find(self, name: str) -> FormPreset | None:
        """The preset of that name; None where there is none."""
        with self._context.store.read() as unit:
            return unit.form_presets.get(name)

    def save(self, name: str, request: BacktestRequest) -> FormPreset:
        """Save the settings of a valid request under ``name``; one of that name is replaced."""
        name, spec = named(name), self._backtests.spec(request)
        settings = {key: spec[key] for key in KEPT if key in spec}
        if request.strategy != spec["strategy"]:        # one of the library keeps the name by which it was chosen
            settings |= dict(strategy=request.strategy, params=dict(request.params))
        with self._context.store.unit() as unit:
            before = unit.form_presets.as_stored(name)
            unit.form_presets.put(name, settings, self._context.user, unit.now())
            preset: FormPreset = required(unit.form_presets.get(name), "preset", name)
            detail: dict[str, Any] = dict(name=name, settings=settings, before=dict(before.settings) if before else {})
            unit.audit(self._context.user, "form_preset_replaced" if before else "form_preset_saved", f"form_preset:{name}", **detail)
        return preset

    def rename(self, name: str, new: str) -> FormPreset:
        """Give a preset another name, which none has yet."""
        new = named(new)
        with self._context.store.unit() as unit:
            preset = required(unit.form_presets.get(name), "preset", name)
            if new != name and unit.form_presets.as_stored(new):
                raise BadRequest(f"there is a preset {new!r} already; choose another name, or delete that one first")
            unit.form_presets.remove(name)
            unit.form_presets.put(new, preset.settings, self._context.user, unit.now())
            unit.audit(self._context.user, "form_preset_renamed", f"form_preset:{name}", f"form_preset:{new}", before=name, name=new)
            renamed: FormPreset = required(unit.form_presets.get(new), "preset", new)
        return renamed

    def delete(self, name: str) -> None:
        """Delete a preset. Runs that began with it keep their settings."""
        with self._context.store.unit() as unit:
            preset = required(unit.form_presets.as_stored(name), "preset", name)
            unit.form_presets.remove(name)
            unit.audit(self._context.user, "form_preset_deleted", f"form_preset:{name}", name=name, settings=dict(preset.settings))


def named(name: str) -> str:
    """A name without blanks around it, or a sentence on what is wrong with it.

    >>> named(" London, tight ")
    'London, tight'
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST or not name.isprintable():
        raise BadRequest(f"the name of a preset is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
    return name
