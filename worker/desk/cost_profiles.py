"""Cost profiles: trading costs under a name, saved once and chosen in every form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from domain.errors import BadRequest, listed, unknown
from domain.market import instruments as instrument_table
from domain.params import build, values_of
from domain.trading.costs import Costs
from worker.desk.context import DeskContext, required
from worker.store.cost_profiles import CostProfile

LONGEST, SOURCE = 64, 500       # letters of a name and of a source


class CostProfilesView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def list(self) -> list[CostProfile]:
        """By name."""
        with self._context.store.read() as unit:
            return unit.cost_profiles.all()

    def get(self, name: str) -> CostProfile:
        with self._context.store.read() as unit:
            return required(unit.cost_profiles.get(name), "cost profile", name)

    def save(self, name: str, costs: Mapping[str, Any], instruments: Sequence[str] = (), source: str = "", dated: str = "") -> CostProfile:
        """Save ``costs``, values of ``[costs]``, under ``name``; one of that name is replaced. ``dated``: ISO, empty for today."""
        name, costs = name.strip(), {"unit": "pips", **costs}
        if not 0 < len(name) <= LONGEST:
            raise BadRequest(f"the name of a cost profile is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
        built = self._checked(costs, instruments)
        changed = {key: value for key, value in values_of(built).items() if value != getattr(Costs(), key) or key == "unit"}
        with self._context.store.unit() as unit:
            before = unit.cost_profiles.as_stored(name)
            unit.cost_profiles.put(name, instruments, changed, source.strip()[:SOURCE], _day(dated) or unit.now().date().isoformat(), self._context.user, unit.now())
            profile: CostProfile = required(unit.cost_profiles.get(name), "cost profile", name)
            detail: dict[str, Any] = dict(name=name, instruments=list(instruments), costs=changed, source=profile.source, dated=profile.dated, before=dict(before.costs) if before else {})
            unit.audit(self._context.user, "cost_profile_replaced" if before else "cost_profile_saved", f"cost_profile:{name}", **detail)
        return profile

    def delete(self, name: str) -> None:
        """Delete a profile. Runs that used it keep their numbers."""
        with self._context.store.unit() as unit:
            profile = required(unit.cost_profiles.as_stored(name), "cost profile", name)
            unit.cost_profiles.remove(name)
            unit.audit(self._context.user, "cost_profile_deleted", f"cost_profile:{name}", name=name, costs=dict(profile.costs))

    def _checked(self, costs: Mapping[str, Any], instruments: Sequence[str]) -> Costs:
        table, built = instrument_table(self._context.instruments_file), build(Costs, costs)
        for name in instruments:
            if name not in table:
                raise unknown("instrument", name, table)
        built.check_names(instruments or table)
        if built.unit == "price" and not instruments:
            raise BadRequest("a cost profile for all instruments has its spread and slippage in pips; give them in pips, or name the instruments that it is for")
        built.check([table[instrument] for instrument in instruments])
        return built


def resolved_costs(profile: CostProfile, instruments: Iterable[str]) -> Costs:
    """The costs of a profile for these instruments, or a sentence on those that it does not cover."""
    missing = [instrument for instrument in instruments if profile.instruments and instrument not in profile.instruments]
    if missing:
        raise BadRequest(f"the cost profile {profile.name!r} is for {listed(profile.instruments, 8)}, and {listed(missing, 8)} is requested; choose another profile, or save one that covers it")
    return build(Costs, profile.costs)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise BadRequest(f"{text!r} is not a date; write it like 2024-01-31") from None
