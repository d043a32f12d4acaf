"""``tidemark backtest --model``: a model of the workspace filters the signals of a strategy on files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import BadRequest


@dataclass(frozen=True)
class ModelFilter:
    """``version``: as the desk shows it. ``name``: of the strategy that is traded."""

    at: Any
    version: Any
    name: str

    @classmethod
    def named(cls, text: str, strategy: str, signals: bool) -> ModelFilter:
        """The model, and its own strategy where none is given."""
        from worker.terminal.here import desk

        if signals:
            raise BadRequest("--model filters the signals of a strategy; give --strategy, or leave --signals out")
        at = desk()
        version = at.models.get(text)
        own = str(version.manifest.get("question", {}).get("strategy", ""))
        return cls(at, version, strategy or own)

    @property
    def spec(self) -> dict[str, Any]:
        return dict(name=self.version.name, version=self.version.version, hash=self.version.digest)

    def strategy(self, given: str, params: str) -> Any:
        """With the parameters that are given, else with those that the model was trained with."""
        from domain.strategies.base import make
        from worker.terminal.options import params_of

        if not self.name:
            raise BadRequest(f"{self.version.title} was not trained on signals of a strategy, so it filters none; use another model")
        question: Mapping[str, Any] = self.version.manifest["question"]
        values = params_of(params)
        return make(self.name, values or (question["strategy_params"] if self.name == question["strategy"] else {}))

    def applied(self, series: Sequence[Any], rules: Any, rates: Sequence[Any], strategy: Any) -> Any:
        from worker.model_use import used

        store = self.at.models.store
        with store.read() as unit:
            model = unit.models.get(self.version.id)
        return used(store, model, self.at.user, series, rules, rates, strategy, self.name)

    def plain(self, used: Any) -> dict[str, Any]:
        """For report.json: which model, how much of each, and the badge of weak evidence."""
        return dict(model=self.version.title, **self.spec, stage=self.version.stage.stage, badge=self.version.badge, until=used.until.isoformat(), used=used.counts(), sentence=used.sentence)
