"""Options that name the rule set whose floors orders keep clear of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest

KEEPS = "an order is refused whose worst case does not fit the headroom above every floor, less the buffer"
Preset = Annotated[str, typer.Option("--rule-set", help=f"Rule set that comes with Tidemark, by name: {KEEPS}.")]
Name = Annotated[str, typer.Option("--rule-set", help=f"Rule set, by name, a preset or one of yours: {KEEPS}, and people are warned of its floors.")]
File = Annotated[Path | None, typer.Option("--rules", help="TOML file of a rule set, instead of --rule-set.")]
Phase = Annotated[str, typer.Option("--phase", help="Phase of the rule set; default: the one that it names, else its first.")]


def given_in(name: str, file: Path | None, phase: str) -> dict[str, Any] | None:
    """``name version phase base text`` of a preset or of a file, as a session's source names it; None where neither is named."""
    from domain.compliance.rule_set import dump, load, preset
    from domain.parsing import text_in

    if name and file:
        raise BadRequest("--rule-set and --rules both name a rule set; give one of them")
    if not name and not file:
        if phase:
            raise BadRequest("--phase is of a rule set; give one with --rule-set NAME or --rules FILE.toml")
        return None
    rules = load(text_in(file), file.name, phase) if file else preset(name, phase)
    return dict(name=name or rules.name or Path(str(file)).stem, version=0, phase=rules.phase, base=name, text=dump(rules))


def gated(rules: Any, given: Mapping[str, Any] | None) -> Any:
    """The rules with that rule set's gate. Raises BadRequest where its floors do not fit the account."""
    from dataclasses import replace

    from domain.compliance.floors import floors_of
    from domain.trading.gate import Gate

    gate = Gate(str(given["text"]), str(given["name"]), str(given["phase"])) if given else Gate()
    floors_of(gate, rules.account.balance, rules.account.currency)
    return replace(rules, gate=gate)
