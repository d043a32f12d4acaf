"""``tidemark compliance``: rule sets, account histories, and the replay of rules over an equity path."""

from __future__ import annotations

import typer

from worker.terminal import chance, fields, histories, judge, rule_sets

app = typer.Typer(no_args_is_help=True, help="Compliance: rules of firms and regulators replayed over runs, files and imported account histories.")
app.command("presets")(judge.presets)
app.command("judge")(judge.judge)
app.command("chance")(chance.chance)
app.command("import")(histories.import_)
app.command("histories")(histories.histories)
app.command("rebuild")(histories.rebuild)
app.command("fields")(fields.fields)
app.add_typer(rule_sets.app, name="rules")
