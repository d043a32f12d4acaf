"""Recipes: what is in them, and that the page about features says the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from domain.errors import UnknownName
from domain.features import FEATURES, compute, parse, use
from domain.features.recipes import VECTOR50, recipe, recipes
from domain.outside.series import series
from tests.domain.features.world import market

PAGE = (Path(__file__).resolve().parents[3] / "docs/features.md").read_text(encoding="utf-8")
NAMED = {"basic", "momentum", "trend", "volatility", "volume", "structure", "liquidity", "time", "cross", "macro", "sentiment", "regime", "full", "vector50"}


def test_every_recipe_that_is_promised_is_there():
    assert set(recipes()) >= NAMED


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_lists_each_column_once_and_says_what_it_is(name):
    columns = [use.column for use in recipe(name).uses]
    assert columns and len(set(columns)) == len(columns)
    assert recipe(name).about.endswith((".", ":"))


def test_a_family_is_all_of_its_features_by_their_defaults():
    for family in {spec.family for spec in FEATURES.values()}:
        assert set(recipe(family).uses) == {use(name) for name, spec in FEATURES.items() if spec.family == family}


def test_full_has_every_feature_of_every_family():
    assert {use.name for use in recipe("full").uses} == set(FEATURES) and len(FEATURES) >= 60


def test_a_feature_of_a_new_file_joins_by_itself(monkeypatch):
    monkeypatch.setitem(FEATURES._things, "twin_of_sma", FEATURES["sma"])
    assert "twin_of_sma" in [use.name for use in recipe("full").uses]


def test_the_vector_has_fifty_columns_in_ten_parts():
    assert Counter(element.part for element in VECTOR50) == {"price": 10, "momentum and trend": 8, "volatility": 6, "volume": 5, "structure": 5, "time": 4, "cross": 3, "macro": 5, "sentiment": 1, "regime": 3}
    columns = [use.column for use in recipe("vector50").uses]
    assert columns == [element.written for element in VECTOR50], "written as its column is named"
    assert len(set(columns)) == 50


def test_no_column_of_the_vector_is_in_units_of_price():
    assert not {use.column for use in recipe("vector50").uses if FEATURES[use.name].unit == "price"}


def test_the_vector_is_known_and_no_column_says_what_another_says():
    bars, context = market()
    uses = recipe("vector50").uses
    late = compute(bars, uses, context)[[use.column for use in uses]].iloc[1_200:]
    assert (late.notna().mean() > 0.9).all(), late.notna().mean().idxmin()
    alike = late.corr().abs().to_numpy() - np.eye(50)
    assert np.nanmax(alike) < 0.99, [late.columns[k] for k in np.unravel_index(np.nanargmax(alike), alike.shape)]


def test_a_wrong_name_is_given_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'momentum'"):
        recipe("momentun")


def test_the_page_has_the_vector_column_by_column():
    rows = [f"| {number} | {element.part} | `{element.written}` | {FEATURES[parse(element.written).name].unit} | {element.about} |" for number, element in enumerate(VECTOR50, 1)]
    assert "\n".join(rows) in PAGE, "the table in docs/features.md is not that of the code; it should be\n" + "\n".join(rows)


def test_the_page_has_every_recipe():
    missing = [name for name in recipes() if f"| `{name}` |" not in PAGE]
    assert not missing, f"the table of recipes in docs/features.md lacks {', '.join(missing)}"


def test_the_page_has_every_outside_series():
    missing = [row for row_of_table in series().values() if (row := f"| `{row_of_table.name}` | {row_of_table.title} | {row_of_table.unit} | {row_of_table.lag} | {'yes' if row_of_table.revised else 'no'} |") not in PAGE]
    assert not missing, "docs/features.md lacks\n" + "\n".join(missing)


def test_the_example_of_the_page_runs():
    """The feature that the page adds is added as it says, gets its column, and is gone again."""
    code = PAGE.split("```python\n")[1].split("```")[0]
    before = dict(FEATURES._things)
    try:
        exec(compile(code, "example", "exec"), {"__name__": "domain.features.example"})
        (added,) = set(FEATURES) - set(before)
        bars, context = market(100)
        values = compute(bars, [use(added)], context)[use(added).column].to_numpy()
        first = FEATURES[added].bars_before(FEATURES[added].params)
        assert np.isnan(values[:first]).all() and np.isfinite(values[first:]).all()
    finally:
        FEATURES._things.clear()
        FEATURES._things.update(before)
