"""Rule sets as data: presets, phases, own values, and what they say about themselves."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from domain.compliance import RULES, dump, load, preset, presets
from domain.compliance.figure import OWN
from domain.compliance.rule import about
from domain.errors import BadRequest
from domain.params import params_of

DAY = '[day]\nreset = "00:00"\ntz = "Europe/Prague"\n'


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_what_is_written_and_read_again(name):
    rules = preset(name)
    assert load(dump(rules)).rules == rules.rules and dump(load(dump(rules))) == dump(rules)
    assert rules.name == name and all(column.startswith(rule.kind) for rule, column in zip(rules.rules, rules.columns, strict=True))
    given = {f"{key}.{parameter}" for key, table in rules.document.items() if isinstance(table, dict) for parameter in table if parameter not in ("phases", "source", "retrieved", "confidence", "figures")}
    covered = {figure for phase in rules.phases for figure in rules.in_phase(phase).figures}
    assert given == covered         # every parameter says where it comes from


@pytest.mark.parametrize("name, phase, columns", [
    ("ftmo-2-step", "verification", ("daily_loss", "max_drawdown", "target", "min_days")),
    ("ftmo-2-step", "funded", ("daily_loss", "max_drawdown", "news", "weekend")),
    ("topstep-50k", "combine", ("daily_loss", "max_drawdown", "target", "consistency", "overnight")),
    ("nfa-retail", "retail", ("margin", "fifo", "no_hedging")),
])  # fmt: skip
def test_a_phase_has_its_own_rules(name, phase, columns):
    assert preset(name, phase).columns == columns
    assert str(preset("ftmo-2-step", "verification").rule("target").amount) == "5 % of initial"


def test_an_own_value_is_shown_as_such():
    rules = preset("topstep-50k").with_value("daily.amount", 900, date(2026, 12, 1))
    assert (rules.value("daily.amount"), rules.figures["daily.amount"].confidence, rules.figures["daily.basis"].confidence) == ("900", OWN, "secondary")
    assert "daily.amount: your own values." in rules.warnings(date(2026, 12, 1)) and load(dump(rules)).figures == rules.figures
    assert preset("topstep-50k").value("daily.amount") == "1,000"
    with pytest.raises(BadRequest, match="did you mean 'amount'"):
        preset("topstep-50k").with_value("daily.amuont", 900, date(2026, 12, 1))


def test_rules_older_than_ninety_days_warn():
    rules = preset("ftmo-2-step")
    assert rules.warnings(date(2027, 2, 19)) == []
    assert rules.warnings(date(2027, 2, 20))[0].startswith("The rules of FTMO 2-Step were read on 2026-11-21, 91 days ago")


def test_a_value_alone_stands_for_the_main_parameter():
    rules = load(f'max_leverage = {{ fx_major = 30 }}\n{DAY}')
    assert str(rules.rule("max_leverage").classes) == "fx_major 30" and load(f"max_positions = 3\n{DAY}").rule("max_positions").count == 3
    both = load(f'comparator = "<="\nlock = "start"\n{DAY}[drawdown]\nkind = "static"\namount = 10\nwatch = "equity"')
    assert both.rule("max_drawdown").comparator == "<=" and str(both.rule("max_drawdown").lock) == "start"


def test_a_rule_may_stand_twice():
    text = f'{DAY}[[consistency]]\nkind = "best / net"\ncap = 50\ncomparator = ">"\n[[consistency]]\nkind = "best trade"\ncap = "30 %"\ncomparator = ">="'
    assert load(text).columns == ("consistency", "consistency_2")


@pytest.mark.parametrize("words, watch", [("equity with floating, commission and swap", "equity"), ("equity with floating profit, commission and swap", "equity"), ("closed only", "closed"), ("closed trades only", "closed")])
@pytest.mark.parametrize("table", ['[daily]\nbasis = "balance"\namount = "5 %"\neffect = "FAIL"\ncomparator = "<"', '[drawdown]\nkind = "static"\namount = "5 %"\nlock = "none"\ncomparator = "<"', '[profit_cap]\namount = "2 %"\neffect = "FAIL"'])
def test_what_a_rule_watches_is_read_in_the_words_of_the_specification(table, words, watch):
    assert load(f'name = "own"\n[day]\nreset = "00:00"\ntz = "UTC"\n{table}\nwatch = "{words}"\n').rules[0].watch == watch


@pytest.mark.parametrize("words, share", [("best ÷ net", "best / net"), ("best ÷ sum of positive days", "best / sum of positive days")])
def test_words_of_the_firms_are_read(words, share):
    assert load(f'{DAY}[consistency]\nkind = "{words}"\ncap = 50\ncomparator = "more than"').rules[0].share == share


@pytest.mark.parametrize("text, words", [
    ("[daily]\namount = 5", "has no \\[day\\] with reset and tz"),
    ('[day]\nreset = "25:00"\ntz = "UTC"', "day.reset is '25:00'"),
    ('[day]\nreset = "00:00"', "has no day.tz"),
    (f'phases = []\n{DAY}', "phases is \\[\\]"),
    (f'{DAY}[target]\namount = "10 %"\nconfidence = "official"', "has no source"),
    (f'{DAY}[target]\namount = "10 %"\nsource = "x"\nretrieved = "yesterday"\nconfidence = "official"', "retrieved is 'yesterday'"),
    (f'{DAY}[target]\namount = "10 %"\nsource = "x"\nretrieved = "2026-01-31"\nconfidence = "oficial"', "did you mean 'official'"),
    (f'{DAY}[consistency]\nkind = "target shift"\ncap = 50\ncomparator = ">"', "has no target in this phase"),
    (f'{DAY}[min_days]\ncount = 3\ncounts = "profitable"', "has no min_days.profit"),
    (f'{DAY}[news]\nbefore = 2\nafter = 2\nactions = "open shut"\neffect = "FAIL"', "news.actions is 'open shut'"),
    (f'scaling = [[5, 2], [0, 1]]\n{DAY}', "scaling.steps is"),
    (f'max_positions = 2.5\n{DAY}', "max_positions.count is 2.5; it must be a whole number"),
    (f'account = -1\n{DAY}[target]\namount = 1', "account is -1"),
])  # fmt: skip
def test_what_cannot_be_a_rule_set_is_a_sentence(text, words):
    from domain.compliance import Judge

    with pytest.raises(BadRequest, match=words):
        Judge(load(text), 1_000.0)


def test_every_kind_of_rule_describes_itself():
    for kind, cls in RULES.items():
        assert about(kind).endswith(".") and ":" in about(kind) and cls.main in {"", *(cls.names.get(p.name, p.name) for p in params_of(cls))}
        for param in params_of(cls):
            assert param.help and (not param.choices or param.default in param.choices), (kind, param.name)


def test_the_rule_set_of_the_document_is_read_in_both_its_phases():
    text = (Path(__file__).resolve().parents[3] / "docs" / "compliance.md").read_text()
    block = re.search(r"^```toml\n(.*?)^```$", text, re.M | re.S)[1]
    assert load(block).columns == ("daily_loss", "max_drawdown", "target") and load(block, phase="funded").columns == ("daily_loss", "max_drawdown", "news")
    tables = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `") and "-" not in line.split("|")[1])))
    assert {RULES[kind].key for kind in RULES} <= tables        # every kind is in the table of parameters


def test_a_time_of_toml_is_a_time_of_day():
    assert load('[day]\nreset = 17:00:00\ntz = "+02:00"\n[target]\namount = 5').day.reset == "17:00"
