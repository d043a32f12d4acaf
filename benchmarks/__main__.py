"""`python -m benchmarks` times everything, `python -m benchmarks engine` one part; the table is written to benchmarks/latest.md. `--write` puts figures of `scale` and `clients` into docs/scale.md as they come."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import traceback
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):      # as in a worker process
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from benchmarks import (  # noqa: E402
    audit,
    bundle,
    clients,
    compiling,
    deciding,
    engine,
    features,
    growth,
    judging,
    labels,
    long_trail,
    others,
    pages,
    passing,
    scale,
    scanner,
    sessions,
    silence,
    stages,
    sweeps,
    system,
    training,
)
from benchmarks.scale_table import Cell, kept  # noqa: E402
from benchmarks.timing import Row, table  # noqa: E402
from worker.memory import keep_freed  # noqa: E402

PARTS = {"engine": engine, "stages": stages, "features": features, "deciding": deciding, "growth": growth, "sweeps": sweeps, "judging": judging, "labels": labels, "passing": passing, "scanner": scanner, "sessions": sessions, "others": others, "system": system, "compiling": compiling, "clients": clients, "silence": silence, "audit": audit, "bundle": bundle, "training": training}

NAMED = {"long_trail": long_trail, "scale": scale, "pages": pages}      # run only where they are named: many gigabytes, many processes, a browser


def main(names: list[str]) -> int:
    keep_freed()        # as workers and the terminal do
    every, write = PARTS | NAMED, "--write" in names
    names = [name for name in names if name != "--write"]
    unknown = [name for name in names if name not in every]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(every)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    failed = 0
    for name in names or PARTS:
        try:
            for row in every[name].rows():
                rows.append(row)
                print(f"{row.what}: {row.shown}" + (f", {row.ratio:.1f} × {row.beside}" if row.ratio else "") + (f", goal {row.goal}" if row.goal else ""), flush=True)
                if write and row.place:
                    kept([Cell(row.place[0], row.place[1], row.shown)])
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError):      # what other parts measured is not thrown away for one
            traceback.print_exc()
            rows.append(Row(f"{name}: broke off, the rest of it was not measured", None))
            failed = 1
        if not names:
            _keep(rows)
    return failed


def _keep(rows: list[Row]) -> None:
    head = f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}. Medians of one run; only the ratios carry over to another machine."
    Path(__file__).with_name("latest.md").write_text(f"{head}\n\n{table(rows)}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
