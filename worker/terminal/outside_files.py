"""External data from files for a backtest from files: the same options as ``tidemark features compute``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.terminal.features import outside_of, read_series
from worker.terminal.options import pairs


@dataclass(frozen=True)
class OutsideFiles:
    """``macro``: NAME=FILE each. ``impact``: the least of the releases that count; ``utc``: times without a zone are UTC."""

    macro: Sequence[str] = ()
    headlines: Path | None = None
    releases: Path | None = None
    impact: str = "high"
    utc: bool = False

    @property
    def given(self) -> bool:
        return bool(self.macro or self.headlines or self.releases)

    def along(self, series: Sequence[Any]) -> list[Any]:
        """The series with what their features may read of these files; as they are where there are none."""
        from dataclasses import replace

        from domain.outside.releases import concerning

        named = pairs("--macro", self.macro, "NAME")
        if not named and not self.headlines and not self.releases:
            return list(series)
        outside = outside_of(self.headlines, self.releases, self.utc)
        calendar = outside.pop("releases", None)
        macro = {name: read_series(name, path) for name, path in named}

        def known(each: Any) -> Any:
            context = replace(each.context, macro=macro, **outside)
            return context if calendar is None else replace(context, releases=concerning(calendar, each.instrument, self.impact))

        return [replace(each, context=known(each), outside={**each.outside, **self._versions(named)}) for each in series]

    def _versions(self, named: Sequence[tuple[str, Path]]) -> dict[str, Any]:
        """The content of each file, for the spec of the run."""
        files: dict[str, Any] = dict(series={name: _hash(path) for name, path in named}) if named else {}
        files |= {kind: _hash(path) for kind, path in (("headlines", self.headlines), ("releases", self.releases)) if path}
        return files | (dict(impact=self.impact) if self.releases else {})


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
