"""``tidemark train`` and ``tidemark predict``: a model from bars, judged on what it was not trained on, and its outputs on other bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from domain.parsing import is_folder, object_of
from worker.terminal.bars import Clock
from worker.terminal.features import (
    COLUMN,
    HEADLINES,
    LONGER,
    MACRO,
    OTHER,
    RELEASES,
    Frame,
    Impact,
    Recipe,
    Rest,
    Utc,
    outside_of,
    uses_of,
    write_frame,
)
from worker.terminal.options import params_of
from worker.terminal.say import Json, plain, say
from worker.terminal.strategy_file import StrategyFile, chosen
from worker.terminal.training_inputs import Beside, inputs_of, user_code, walked

TRAINING = "training"       # section of a --config file: weights, half-life, margins, filter
BARS: list[str] = typer.Option([], "--bars", help="Bars, as [NAME=]FILE: CSV or Parquet with ts open high low close [volume spread]. May repeat: several instruments are pooled.")
DATA: list[str] = typer.Option([], "--data", help="Dataset of the workspace, by id or version, instead of --bars; the run is kept and its trials are counted. May repeat.")
REGIMES: list[str] = typer.Option([], "--regimes", help='Learned regimes as columns, a probability a state, walking forward. With --data the id of a regime run, one an instrument (may repeat); with --bars a plan as JSON: {"states": "3", "train": 5000, "step": 2500}, and kind unit restarts seed anchored observed.')
MODULE = typer.Option(None, "--module", help="FILE.py with your own learners, features and strategies; it is executed.")
Instrument = Annotated[str, typer.Option(help="Instrument of a file of --bars without NAME.")]
Side = Annotated[str, typer.Option(help="Side that the bars quote: bid or mid; default: as the file says, else bid.")]


def train(
    learner: Annotated[str, typer.Option(help="Learner name.")], target: Annotated[str, typer.Option(help="Target: r win above fake barrier on signals; return volatility direction on bars.")],
    out: Annotated[Path, typer.Option(help="Folder for samples.parquet, folds.parquet, predictions.parquet, report.json and model/.")], bars: list[str] = BARS, data: list[str] = DATA, instrument: Instrument = "", timeframe: Frame = "", side: Side = "",
    params: Annotated[str, typer.Option(help="Parameters of the learner as JSON; those of [training] may stand among them.")] = "{}", target_params: Annotated[str, typer.Option(help="Parameters of the target as JSON: horizon, unit (bars, minutes), every, threshold.")] = "{}",
    strategy: Annotated[str, typer.Option(help="Strategy whose signals are the samples.")] = "", strategy_params: Annotated[str, typer.Option(help="Strategy parameters as JSON.")] = "{}", strategy_file: StrategyFile = None,
    trades: Annotated[Path | None, typer.Option(help="Closed trades, as trades.csv of a backtest, in the place of a strategy's signals.")] = None, recipe: Recipe = "", columns: list[str] = COLUMN, regimes: list[str] = REGIMES, module: Path | None = MODULE,
    scheme: Annotated[str, typer.Option(help="Split: walk_forward or cpcv.")] = "walk_forward", scheme_params: Annotated[str, typer.Option(help="Parameters of the split as JSON: train validation calibration test step (days) anchored embargo (hours); or groups tested embargo.")] = "{}",
    config: Annotated[Path | None, typer.Option(help="TOML file with [account] [costs] [execution] [sizing] [limits], over the defaults of config.toml, and [training]: weights half_life conformal gamma filter share size.")] = None,
    seed: Annotated[int, typer.Option(help="Seed; the same seed, data and code give the same predictions.")] = 0, shuffle_labels: Annotated[bool, typer.Option("--shuffle-labels", help="Permute the labels over the samples: nothing may be learnt of them.")] = False,
    register: Annotated[str, typer.Option(help="Name under which the model becomes a candidate in the workspace.")] = "", htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO,
    headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Train a model and evaluate it on samples that it was not trained on. Exit status 1 if the verdict is red."""
    if bool(bars) == bool(data):
        raise BadRequest("give either --bars FILE or --data with the id of a dataset")
    from domain.training.asking import question_of
    from domain.training.train import train as trained
    from worker.terminal import train_stored

    strategy, strategy_params = chosen(strategy, strategy_params, strategy_file)
    rules, options = rules_of(config)
    request: dict[str, Any] = dict(
        target_params=_object(target_params, "--target-params", '{"horizon": 12}'), params=params_of(params), scheme=scheme, scheme_params=_object(scheme_params, "--scheme-params", '{"train": 1460}'),
        strategy=strategy, strategy_params=_object(strategy_params, "--strategy-params", '{"lookback": 20}'), options=options, seed=seed, shuffle_labels=shuffle_labels,
    )  # fmt: skip
    with user_code(module) as own:
        uses = uses_of(recipe, [*columns, *(rest or [])])
        if data:
            _refuse_files(module, trades, [*htf, *other, *macro], [headlines, releases])
            columns_asked = dict(columns=[use.column for use in uses], learner=learner, target=target, rules=rules.values() if config else {}, register=register, regimes=regimes)
            result: Any = train_stored.train_stored(data, timeframe, request | columns_asked, as_json)
        else:
            beside = Beside(htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
            inputs = walked(inputs_of(bars, instrument, timeframe, side, uses, rules, beside, trades), regimes)
            result = trained(question_of(inputs, target, learner, module=own, **request), inputs, watch_of(as_json), made_by=_made_by())
    write_trained(result, out)
    registered = train_stored.register(result, register) if register and not data else ""
    show(result, out, as_json)
    if registered and not as_json:
        print(f"registered  {registered}, which cannot be promoted: trials on files are counted nowhere")
    raise typer.Exit(1 if result.red else 0)


def predict(
    model: Annotated[str, typer.Option(help="Folder that tidemark train wrote (model/), or NAME[@VERSION] of the workspace.")], out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv to write: start, the outputs, in_sample.")], bars: list[str] = BARS,
    instrument: Instrument = "", timeframe: Frame = "", side: Side = "", engine: Annotated[str, typer.Option(help="Engine: native, the learner's own library, or onnx, ONNX Runtime.")] = "native", module: Path | None = MODULE, trades: Annotated[Path | None, typer.Option(help="Closed trades, where the model was trained on some.")] = None,
    htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Write the model's outputs for every sample of the bars; later bars change no row."""
    from domain.features import parse
    from domain.trading.rules import rules_from
    from domain.training.model_folder import read_model
    from domain.training.predicting import predictions
    from domain.training.question import question_from
    from domain.training.regime_columns import regimes_learnt

    with user_code(module):
        pipeline, manifest = read_model(_files_of(model))
        question = question_from(manifest["question"])
        name = instrument or (manifest["instruments"][0] if len(manifest["instruments"]) == 1 else "")
        beside = Beside(htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
        inputs = inputs_of(bars, name, timeframe or str(question.data[0]["timeframe"]), side or str(question.data[0]["side"]), tuple(map(parse, question.columns)), rules_from(question.rules), beside, trades)
        table = predictions(question, pipeline, regimes_learnt(question.data, inputs), engine)
    write_frame(table, out)
    say(dict(rows=len(table), in_sample=int(table["in_sample"].sum()), outputs=", ".join(pipeline.outputs), written=str(out)), as_json)


def write_trained(result: Any, out: Path) -> None:
    """Every file of a training; those of an earlier model in the folder are taken away."""
    try:
        (out / "model").mkdir(parents=True, exist_ok=True)
        for name in ("samples", "folds", "predictions"):
            getattr(result, name).to_parquet(out / f"{name}.parquet", index=False, compression="zstd")
        (out / "report.json").write_text(json.dumps(plain(result.report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        for path in sorted((out / "model").rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(out / "model").as_posix() not in result.model:
                path.unlink()
        for name, content in result.model.items():
            (out / "model" / name).parent.mkdir(parents=True, exist_ok=True)
            (out / "model" / name).write_bytes(content)
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None


def show(result: Any, out: Path, as_json: bool) -> None:
    """The verdict first, then what was left out of the samples."""
    from domain.training.model_folder import MANIFEST
    from domain.training.sample_set import sentence_of

    if as_json:
        return say(result.report, True)
    verdict = result.report["verdict"]
    print(f"{verdict['state']}: {verdict['sentence']}")
    for reason in verdict.get("reasons", ()):
        print(f"- {reason}")
    if MANIFEST in result.model:
        print(sentence_of(json.loads(result.model[MANIFEST])["samples"]))
    print(f"written  {out}: samples.parquet, folds.parquet, predictions.parquet, report.json, model/")


def rules_of(config: Path | None) -> tuple[Any, Mapping[str, Any]]:
    """Costs and execution, and what is fitted around a learner."""
    from worker.settings import read_toml
    from worker.terminal.backtest import rules_in

    options = read_toml(config).get(TRAINING, {}) if config else {}
    if not isinstance(options, Mapping):
        raise BadRequest(f"{config}: {TRAINING} is {options!r}; it must be a section, [{TRAINING}]")
    return rules_in(config, (TRAINING,))[0], options


def _made_by() -> dict[str, Any]:
    """The code and the libraries that decide a model."""
    from domain import manifest
    from domain.training import train as engine

    entry = Path(engine.__file__)
    return dict(code=manifest.code_hash(entry), libraries=manifest.libraries(entry))


def _refuse_files(module: Path | None, trades: Path | None, beside: list[str], outside: list[Path | None]) -> None:
    """A job of the workspace reads nothing that is not stored there."""
    given = [name for name, value in (("--module", module), ("--trades", trades), ("--htf, --other or --macro", beside), ("--headlines or --releases", any(outside))) if value]
    if given:
        raise BadRequest(f"{' and '.join(given)} cannot stand beside --data, whose job reads what the workspace holds; give --bars FILE instead")


def _object(text: str, option: str, example: str) -> dict[str, Any]:
    return object_of(text, option, example)


def _files_of(model: str) -> dict[str, bytes]:
    """Of a folder, else of a model in the workspace."""
    folder = Path(model)
    if is_folder(folder):
        folder = folder / "model" if (folder / "model" / "manifest.json").is_file() else folder
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    from worker.terminal.here import desk

    return dict(desk().models.export(model))


def watch_of(quiet: bool) -> Any:
    """Progress on a terminal."""
    shown = sys.stderr.isatty() and not quiet

    def step(share: float, loss: float | None = None) -> None:
        if shown:
            print(f"\r{share:4.0%}{'' if loss is None else f'  loss {loss:.6g}':<24}", end="", file=sys.stderr)

    return step
