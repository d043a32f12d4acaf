"""What every registered feature keeps: its warm-up, its bounds, its word about itself, and the same numbers bar by bar as all at once."""

from __future__ import annotations

import numpy as np
import pytest

from domain.features import FEATURES, compute, use, warm_up_of
from domain.features.stream import Stream
from tests.domain.features.world import market

APPENDED = 120
CONSTANT = ("tick_size",)       # a fact of the instrument, which strategies turn ticks into prices by


@pytest.fixture(scope="module")
def columns():
    """Every feature by its defaults, computed together."""
    bars, context = market()
    uses = {name: use(name) for name in FEATURES}
    frame = compute(bars, uses.values(), context)
    return {name: frame[use_.column].to_numpy() for name, use_ in uses.items()}


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_names_unit_source_and_what_it_is(name):
    spec = FEATURES[name]
    assert spec.unit and spec.source and spec.family
    assert ":" in spec.help or spec.help.endswith((".", ")"))
    assert ">>>" in (spec.function.__doc__ or ""), "an example that runs"


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_begins_where_its_warm_up_ends(name, columns):
    values, warm_up = columns[name], warm_up_of(use(name))
    assert np.isnan(values[:warm_up]).all(), "values inside its warm-up"
    assert np.isfinite(values[warm_up : warm_up + 400]).any(), "no value soon after its warm-up"


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_stays_inside_its_bounds_and_is_never_infinite(name, columns):
    spec, values = FEATURES[name], columns[name]
    assert not np.isinf(values).any()
    valid = values[np.isfinite(values)]
    assert len(valid) > 100
    assert spec.low is None or valid.min() >= spec.low - 1e-9
    assert spec.high is None or valid.max() <= spec.high + 1e-9


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_says_something(name, columns):
    valid = columns[name][np.isfinite(columns[name])]
    assert (len(np.unique(valid)) > 1) == (name not in CONSTANT)


def test_a_feature_changes_nothing_that_it_is_given(columns):
    """Neither the bars nor the columns of others: alone it gives what it gives beside all of them."""
    bars, context = market()
    before = bars.copy(deep=True)
    for name in FEATURES:
        np.testing.assert_array_equal(compute(bars, [use(name)], context)[use(name).column], columns[name], err_msg=name)
    assert bars.equals(before)


@pytest.mark.parametrize("start", (1, 700))
def test_bar_by_bar_gives_what_all_at_once_gives(start, columns):
    """Begun near the first bar (through every warm-up) and in the middle."""
    bars, context = market()
    uses = {name: use(name) for name in FEATURES}
    stop = start + (APPENDED if start > 1 else 500)
    stream = Stream(bars.iloc[:start], uses.values(), context)
    rows = bars.iloc[start:stop].to_dict("records")
    end = context.ends(bars)
    rows_appended = [stream.append(row, *({name: values.at(end[i : i + 1])[0] for name, values in family.items()} for family in (context.others, context.macro))) for i, row in enumerate(rows, start)]
    for name, use_ in uses.items():
        got, wanted = np.array([row[use_.column] for row in rows_appended]), columns[name][start:stop]
        np.testing.assert_array_equal(got, wanted, err_msg=name)
