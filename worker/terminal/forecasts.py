"""``tidemark backtest --forecasts FILE`` or ``--model NAME``: quantiles for the strategies that decide on forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, listed


@dataclass
class ForecastSource:
    """Where a strategy's forecasts come from: a ``file``, read as ``table`` of content ``version``, or a ``model`` of the workspace."""

    name: str
    file: Path | None = None
    table: Any = None
    version: str = ""
    at: Any = None
    model: Any = None
    sentences: list[str] = field(default_factory=list)

    @classmethod
    def named(cls, strategy: str, model: str, forecasts: Path | None) -> ForecastSource | None:
        """None for a strategy that reads no forecasts; BadRequest where one has none or two, or where forecasts are given to another strategy."""
        from domain.outside.forecast_models import without_a_model
        from domain.strategies import STRATEGIES
        from domain.strategies.base import reads_forecasts

        readers = [name for name in STRATEGIES if reads_forecasts(name)]
        if strategy not in readers:
            if forecasts is not None:
                raise BadRequest(f"--forecasts are for strategies that decide on them, {listed(readers)}; {strategy or 'a table of signals'} does not")
            return None
        if forecasts is not None and model:
            raise BadRequest("--model and --forecasts both give forecasts; give one of them")
        if forecasts is not None:
            return cls(strategy, forecasts, *_read(forecasts))
        if not model:
            raise BadRequest(without_a_model(strategy))
        from worker.terminal.here import desk

        at = desk()
        return cls(strategy, at=at, model=at.models.get(model))

    @property
    def spec(self) -> dict[str, Any] | None:
        """The model, as a run's spec names it; None for a file, whose content is part of its series."""
        return dict(name=self.model.name, version=self.model.version, hash=self.model.digest) if self.model else None

    def strategy(self, params: str, timeframe: Any) -> Any:
        """With the parameters that are given; the horizon of a model where none is."""
        from domain.market.timeframe import Timeframe
        from domain.outside.forecast_models import horizon_of
        from domain.strategies.base import make
        from worker.terminal.options import params_of

        given = params_of(params)
        if self.model and "horizon" not in given:
            given["horizon"] = horizon_of(self.model.manifest["question"]["target_params"], Timeframe.named(timeframe))
        return make(self.name, given)

    def series(self, series: Sequence[Any], rules: Any, rates: Sequence[Any], strategy: Any) -> list[Any]:
        """The series with forecasts beside their bars."""
        from worker.model_use import beside, with_forecasts

        if self.model is None:
            used, sentence = beside(series, self.table, dict(file=self.version))
        else:
            store = self.at.models.store
            with store.read() as unit:
                model = unit.models.get(self.model.id)
            used, sentence = with_forecasts(store, model, self.at.user, series, rules, rates, strategy)
        self.sentences.append(sentence)
        return used

    def plain(self) -> dict[str, Any]:
        """For report.json: where the forecasts are from, and how many were used."""
        sentence = f"{self.sentences[-1]}."
        if self.model is None:
            return dict(model=self.file.name if self.file else "", file=self.version, badge="", sentence=sentence)
        return dict(model=self.model.title, **(self.spec or {}), stage=self.model.stage.stage, badge=self.model.badge, sentence=sentence)


def _read(path: Path) -> tuple[Any, str]:
    """The table of a CSV or Parquet file, and the SHA-256 of its bytes."""
    import hashlib

    import pandas as pd

    try:
        content = path.read_bytes()
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, encoding="utf-8-sig")
    except OSError as error:
        raise BadRequest(f"the forecasts {path} cannot be read: {error.strerror}") from None
    except ValueError:      # pandas' and Arrow's errors of a file of another form are such
        raise BadRequest(f"the forecasts {path} are neither a CSV in UTF-8 nor Parquet; save them as one, with a row for each bar") from None
    return table, hashlib.sha256(content).hexdigest()
