"""The terminal in the process of the test: to start Python and read the program anew takes longer than nearly every command does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import typer.testing

typer.testing._get_command = cache(typer.testing._get_command)      # type: ignore[attr-defined]  # the verbs are built once, not at each call


def terminal(environment: Mapping[str, str], *words: str, typed: str = "") -> str:
    """What a command prints in the workspace of this environment; a command that fails fails the test."""
    from worker.cli import app

    others = dict.fromkeys(name for name in os.environ if name.startswith("TIDEMARK_"))
    ours = {name: value for name, value in environment.items() if name.startswith("TIDEMARK_")}
    answer = typer.testing.CliRunner(env={**others, **ours}).invoke(app, list(words), input=typed or None)
    assert answer.exit_code == 0, (words, answer.output, answer.exception)
    return answer.stdout
