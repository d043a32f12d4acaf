"""Messages of usage errors, and help texts printed as written."""

from __future__ import annotations

import sys

import pytest
import typer
from typer.testing import CliRunner

from domain.errors import BadRequest
from worker import cli
from worker.terminal.options import instant, params_of, space_of


def verbs(group=None, path: tuple[str, ...] = ()):
    """Every verb with its command, groups included."""
    group = group or typer.main.get_command(cli.app)
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from verbs(command, (*path, name))


VERBS = dict(verbs())


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_brackets_of_help_texts_are_printed(path):
    printed = " ".join(CliRunner().invoke(cli.app, [*path, "--help"], env={"COLUMNS": "300"}).stdout.split())
    texts = [VERBS[path].help or "", *(getattr(param, "help", "") or "" for param in VERBS[path].params)]
    for text in texts:
        for word in text.split():
            if "[" in word:
                assert word in printed, text


def test_there_are_brackets_to_be_printed():
    printed = " ".join(CliRunner().invoke(cli.app, ["backtest", "--help"], env={"COLUMNS": "300"}).stdout.split())
    assert "[account] [costs] [execution] [sizing] [limits]" in printed and "[NAME=]FILE" in printed


def test_each_option_is_a_phrase_of_its_own():
    for path, command in VERBS.items():
        for param in command.params:
            text = (getattr(param, "help", "") or "").strip()
            assert not text or param.hidden or param.name == "help" or text.endswith("."), (path, param.name, text)
            assert not text or text[0].isupper() or text.startswith("FILE"), (path, param.name, text)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["swep"], "no command named 'swep'; did you mean 'sweep'. See tidemark --help"),
        (["sweep", "--data", "x"], "--vary is missing; give it a value. See tidemark sweep --help"),
        (["sweep", "--varry", "a=1"], "no option named '--varry'; did you mean '--vary'. See tidemark sweep --help"),
        (["sweep", "--data"], "--data needs a value."),
        (["sweep", "--data", "x", "--vary", "a=1", "--strategy", "b", "--most", "x"], "--most must be a whole number of at least 1. See tidemark sweep --help"),
        (["sweep", "--data", "x", "--vary", "a=1", "--strategy", "b", "--most", "0"], "--most must be a whole number of at least 1."),
        (["regimes", "fit", "--states", "two"], "--states must be a whole number."),
        (["runs", "show"], "RUN is missing; give it a value. See tidemark runs show --help"),
        (["runs", "show", "a", "b"], "'b' belongs to no option"),
        (["runs", "list", "--json=4"], "--json takes no value."),
        (["sweep", "--data", "x", "--vary", "fast=1", "--strategy", "b", "--by", "sharp"], "no figure named 'sharp'; did you mean 'sharpe'?"),
        (["sweep", "--data", "x", "--vary", "fast=1", "--vary", "fast=2", "--strategy", "b"], "--vary gives fast twice"),
        (["sweep", "--data", "x", "--vary", "fast=1:inf:1", "--strategy", "b"], "the end of the range of fast is inf; it must be a finite number"),
        (["regimes", "fit", "--bars", "x", "--out", "y", "--seed", "-1"], "seed is -1; it must be between 0 and"),
        (["regimes", "fit", "--bars", "x", "--out", "y", "--restarts", "0"], "restarts is 0; it must be between 1 and 50"),
    ],
)
def test_a_usage_error_is_one_sentence_with_status_2(words, sentence, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tidemark", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    output = capsys.readouterr()
    assert left.value.code == 2 and output.out == "" and output.err.count("\n") == 1
    assert output.err.startswith("tidemark: ") and sentence in output.err


@pytest.mark.parametrize(
    "read, text, sentence",
    [
        (params_of, "{", "--params is not JSON: it cannot be read from line 1, column 2 on. Write it like '{\"lookback\": 20}'"),
        (params_of, "", "--params is not JSON: it is empty"),
        (params_of, "[1]", "--params is a list; it must be a JSON object"),
        (params_of, '{"a": 1, "a": 2}', "--params gives 'a' twice"),
        (params_of, '{"a": ' + "9" * 5_000 + "}", "--params holds a number with too many digits"),
        (params_of, "[" * 100_000, "--params is nested too deeply"),
        (space_of, "null", "--space is null; it must be a JSON object"),
        (lambda text: instant("--from", text, None), "31.01.2024", "--from is '31.01.2024', which is not a time; write it like 2024-01-31"),
    ],
    ids=range(8),
)
def test_what_an_option_holds_is_reported_in_our_words(read, text, sentence):
    with pytest.raises(BadRequest) as refused:
        read(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("words, sentence", [(("--since", "yesterday"), "--since is 'yesterday', which is not a time"), (("--entity", "run"), "--entity is 'run'; write job:ID, run:ID or dataset:ID")])
def test_events_of_no_time_or_of_nothing_are_refused(words, sentence, tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(tmp_path))
    done = CliRunner().invoke(cli.app, ["audit", "export", "--out", str(tmp_path / "events.jsonl"), *words])
    assert isinstance(done.exception, BadRequest) and sentence in str(done.exception)
