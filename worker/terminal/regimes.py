"""``tidemark regimes``: fitting a model of market states on files, and following it; ``tidemark runs split``: a run by regime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from worker.terminal.bars import Clock
from worker.terminal.features import OTHER, Bars, Frame, Rest, context_of, write_frame
from worker.terminal.say import Json, say

TITLES = {"sojourn": "expected_duration", "delay": "detection_delay", "missed": "miss_rate", "right": "accuracy"}     # of the states' facts
app = typer.Typer(no_args_is_help=True, help="Regimes: models of market states, fitted on earlier bars and filtered bar by bar.")

Name = Annotated[str, typer.Option("--instrument", help="Instrument of --bars.")]
Kind = Annotated[str, typer.Option(help="Model: hmm (hidden Markov) or mixture (no transitions between bars).")]
States = Annotated[int, typer.Option(help="Number of states, 2 to 6; 0: chosen by BIC.")]
Seed = Annotated[int, typer.Option(help="Seed; the same bars and seed give the same model.")]
Restarts = Annotated[int, typer.Option(help="Number of random EM restarts; the best is kept.")]
OBSERVED: list[str] = typer.Option([], "--observed", help='Input feature of the model, such as "log_volatility(48)"; more may follow. Default: the standard ones.')


@app.command()
def fit(
    bars: Bars, out: Annotated[Path, typer.Option(help="File to write the model to, MODEL.json.")], states: States = 3, kind: Kind = "hmm", seed: Seed = 0, restarts: Restarts = 5, instrument: Name = "EURUSD", timeframe: Frame = "",
    observed: list[str] = OBSERVED, other: list[str] = OTHER, clock: Clock = "", rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Fit a model on all bars of a file, and describe its states."""
    from domain.features.regimes import FitConfig, facts
    from domain.features.regimes import fit as fitted
    from domain.params import build

    build(FitConfig, dict(seed=seed, restarts=restarts))
    seen = _seen(bars, instrument, timeframe, other, [*observed, *(rest or [])], clock)
    model = fitted(seen, kind, states or None, seed, restarts, watch=_watch(as_json))
    _write_text(out, model.to_json())
    table = facts(model)
    if as_json:
        return say(dict(_facts(model), looks_at=", ".join(model.columns), facts=table.to_dict("records"), candidates=[candidate._asdict() for candidate in model.candidates], transition=model.transition, written=str(out)), True)
    say(_facts(model) | dict(written=str(out)), False)
    print()
    titled = table.rename(columns=TITLES)
    say(titled.to_dict("records"), False, tuple(titled))
    if len(model.candidates) > 1:
        print()
        say([candidate._asdict() for candidate in model.candidates], False, ("states", "log_likelihood", "bic", "remark"))


@app.command("filter")
def follow(
    model: Annotated[Path, typer.Option(help="Model file written by tidemark regimes fit.")], bars: Bars, out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv to write: ts, the probability of each state, label.")],
    instrument: Name = "EURUSD", timeframe: Frame = "", other: list[str] = OTHER, clock: Clock = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Compute the probability of each state at each bar from that bar and earlier ones only."""
    regime_model = model_of(model)
    seen = _seen(bars, instrument, timeframe, other, regime_model.columns, clock)
    probabilities = regime_model.filtered(seen)
    labels = regime_model.labels(probabilities)
    write_frame(_frame(seen, probabilities, regime_model.names, labels), out)
    shares = _shares(labels)
    say(dict(bars=len(seen), trained=f"{regime_model.trained[0]} to {regime_model.trained[1]}", shares=shares, written=str(out)) if as_json else dict(bars=len(seen), **shares, written=str(out)), as_json)


@app.command("walk-forward")
def walk(
    bars: Bars, out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv to write: ts, the probability of each state, label; empty before the first model.")],
    train: Annotated[int, typer.Option(help="Length of the window that each model is fitted on.")] = 5_000, step: Annotated[int, typer.Option(help="Length of the window after it that each model labels.")] = 2_500,
    unit: Annotated[str, typer.Option(help="Unit of --train and --step: bars or days.")] = "bars", anchored: Annotated[bool, typer.Option("--anchored", help="Every window begins at the first bar.")] = False,
    states: States = 3, kind: Kind = "hmm", seed: Seed = 0, restarts: Restarts = 5, instrument: Name = "EURUSD", timeframe: Frame = "", model: Annotated[Path | None, typer.Option(help="File to write the last model to, MODEL.json.")] = None,
    observed: list[str] = OBSERVED, other: list[str] = OTHER, clock: Clock = "", rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Fit on a window, label the bars after it, move on: each label comes from a model that has seen earlier bars only."""
    from domain.features.regimes import BY_BIC, FitConfig, walk_forward
    from domain.params import build

    plan = build(FitConfig, dict(kind=kind, states=str(states) if states else BY_BIC, train=train, step=step, unit=unit, restarts=restarts, seed=seed, anchored=anchored))
    seen = _seen(bars, instrument, timeframe, other, [*observed, *(rest or [])], clock)
    window, every = plan.rows(len(seen), (seen.index[-1] - seen.index[0]).total_seconds() / 86_400)
    walked = walk_forward(seen, window, every, kind, plan.number, seed, restarts, anchored=anchored, watch=_watch(as_json))
    write_frame(_frame(seen, walked.probabilities, walked.names, walked.labels), out)
    if model is not None:
        _write_text(model, walked.refits[-1].model.to_json())
    table = walked.table.to_dict("records")
    facts = dict(bars=len(seen), train=window, step=every, models=len(table), stability=walked.stability, written=str(out))
    if as_json:
        return say(facts | dict(shares=_shares(walked.labels), refits=table), True)
    say(facts | _shares(walked.labels), False)
    print()
    say(table, False, ("first", "used_from", "used_to", "agreement", "distance", "in_order", "bic", "remark"))


def split(
    run: str = typer.Argument(..., help="Run id."), by: str = typer.Option(..., "--by", help="Regime to split by: volatility, trend or session, joined by +; or the id of a regime run."),
    instrument: str = typer.Option("", help="Instrument whose regimes are used; default: the first of the run."), out: Annotated[Path | None, typer.Option(help="Folder to write split.csv and late.csv to.")] = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Split a finished backtest by the regime known at the time, and show its sensitivity to detection lag."""
    from worker.desk.regimes import is_rule, rules_of
    from worker.terminal import csv
    from worker.terminal.here import desk, finished

    at, by = desk(), rules_of(by)
    if is_rule(by) and at.splits.labelled_by(run, by, instrument) is None:
        finished(at, at.splits.submit_for(run, by, instrument), as_json)
    if at.splits.finished(run, by, instrument) is None:
        finished(at, at.splits.submit_split(run, by, instrument), as_json)
    divided = at.splits.split(run, by, instrument)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "split.csv").write_bytes(at.splits.download_split(run, by, instrument))
        csv.write(divided.late, out / "late.csv")
    table, late = divided.table.to_dict("records"), divided.late.to_dict("records")
    if as_json:
        return say(dict(run=run, by=by, regimes=table, late=late, metrics=dict(divided.metrics)), True)
    say(table, False, tuple(divided.table))
    print("\nSensitivity to detection lag: net profit if the regime had been known so many bars later")
    lags = list(dict.fromkeys(divided.late["late"]))
    net = {(row["regime"], row["late"]): row["net"] for row in late}
    say([dict(regime=name, **{str(lag): net[name, lag] for lag in lags}) for name in dict.fromkeys(divided.late["regime"])], False, ("regime", *(str(lag) for lag in lags)))


def _seen(bars: str, name: str, timeframe: str, other: Sequence[str], columns: Sequence[str], clock: str) -> Any:
    from domain.features.regimes import observations

    read, context = context_of(bars, name, timeframe, [], other, [], clock=clock)
    return observations(read, context, list(columns) or None)


def _frame(seen: Any, probabilities: Any, names: Sequence[str], labels: Any) -> Any:
    import numpy as np
    import pandas as pd

    columns = {f"p_{name.replace(' ', '_')}": probabilities[:, k] for k, name in enumerate(names)}
    return pd.DataFrame(dict(ts=seen.index) | columns | dict(label=np.asarray(labels.astype(object))))


def _shares(labels: Any) -> dict[str, float]:
    """Of the bars that have a label."""
    labelled = labels[labels.codes >= 0]
    return {str(name): float((labelled == name).mean()) if len(labelled) else float("nan") for name in labels.categories}


def _facts(model: Any) -> dict[str, Any]:
    return dict(kind=model.kind, states=", ".join(model.names), input_features=", ".join(model.columns), rows=model.rows, trained=f"{model.trained[0]} to {model.trained[1]}", log_likelihood=model.log_likelihood, bic=model.bic)


def model_of(path: Path) -> Any:
    from domain.features.regimes import RegimeModel

    try:
        return RegimeModel.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}. Give the model that tidemark regimes fit wrote") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path} is not a text file; a regime model is the JSON that tidemark regimes fit wrote") from None
    except BadRequest as error:
        raise BadRequest(f"{path}: {error}") from None


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}. Choose another file") from None


def _watch(quiet: bool) -> Any:
    """Progress on one line, where the output is a terminal."""
    import sys

    if quiet or not sys.stderr.isatty():
        return lambda share: None
    return lambda share: print(f"\r{share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr)
