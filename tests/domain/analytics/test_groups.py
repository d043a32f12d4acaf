"""Groups against pandas' own grouping, and each trade in the group that its words say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import GROUPS, group_table
from domain.errors import UnknownName
from tests.domain.analytics.makers import trades

RNG = np.random.default_rng(6)
RUN = trades(
    RNG.normal(0.1, 1.0, 400), start="2022-11-29T00:00Z", every="47h", instrument=RNG.choice(["EURUSD", "XAUUSD"], 400), tag=RNG.choice(["", "a", "b"], 400),
    regime=RNG.choice(["calm", "panic"], 400), exit_reason=RNG.choice(["target_1", "stop_loss", "end"], 400),
)  # fmt: skip


@pytest.mark.parametrize("by", GROUPS)
def test_every_grouping_holds_each_trade_once(by):
    table = group_table(RUN, by)
    assert table["trades"].sum() == 400 and (table["trades"] > 0).all() and table["group"].is_unique
    assert table["net"].sum() == pytest.approx(RUN["pnl"].sum())
    assert table["share"].sum() == pytest.approx(np.sign(RUN["pnl"].sum()))
    assert GROUPS[by].definition.endswith(".") and GROUPS[by].title


@pytest.mark.parametrize(("by", "key"), [("instrument", "instrument"), ("regime", "regime"), ("exit_reason", "exit_reason"), ("side", "side")])
def test_figures_of_a_group_are_those_of_its_trades(by, key):
    for row in group_table(RUN, by).itertuples():
        part = RUN[RUN[key] == row.group]
        won, lost = part["pnl"][part["pnl"] > 0].sum(), -part["pnl"][part["pnl"] < 0].sum()
        assert (row.trades, row.win_rate) == (len(part), pytest.approx((part["pnl"] > 0).mean()))
        assert (row.net, row.average, row.r_mean) == (pytest.approx(part["pnl"].sum()), pytest.approx(part["pnl"].mean()), pytest.approx(part["r"].mean()))
        assert row.profit_factor == pytest.approx(won / lost)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2024-03-01T21:59Z", dict(session="New York", hour="21:00", weekday="Friday", month="March", year="2024")),
        ("2024-03-03T22:00Z", dict(session="between sessions", hour="22:00", weekday="Sunday", month="March", year="2024")),
        ("2023-12-31T06:59Z", dict(session="between sessions", hour="06:00", weekday="Sunday", month="December", year="2023")),
        ("1969-12-31T08:00Z", dict(session="London", hour="08:00", weekday="Wednesday", month="December", year="1969")),
        ("2024-07-10T02:30Z", dict(session="Asia", hour="02:00", weekday="Wednesday", month="July", year="2024")),
        ("2024-07-10T07:30Z", dict(session="London", hour="07:00", weekday="Wednesday", month="July", year="2024")),      # London is an hour ahead in summer
        ("2024-02-29T13:00Z", dict(session="London and New York", hour="13:00", weekday="Thursday", month="February", year="2024")),
    ],
)
def test_an_entry_falls_into_the_hour_session_and_day_of_utc(at, wanted):
    trade = trades(np.array([1.0]), start=at)
    assert {by: group_table(trade, by)["group"].iloc[0] for by in wanted} == wanted


def test_hours_and_months_are_in_their_own_order():
    assert group_table(RUN, "hour")["group"].tolist() == sorted(group_table(RUN, "hour")["group"])
    assert group_table(RUN, "month")["group"].tolist()[:3] == ["January", "February", "March"]
    assert group_table(RUN, "year")["group"].tolist() == ["2022", "2023", "2024", "2025"]
    assert group_table(RUN, "weekday")["group"].iloc[0] == "Monday"


def test_no_tag_is_called_none_and_categories_group_as_words_do():
    assert set(group_table(RUN, "tag")["group"]) == {"none", "a", "b"}
    for by in ("instrument", "side", "tag"):
        pd.testing.assert_frame_equal(group_table(RUN.assign(**{by: pd.Categorical(RUN[by])}), by), group_table(RUN, by))


def test_without_a_loss_or_an_r_there_is_no_factor_and_no_mean():
    table = group_table(trades(np.array([1.0, 2.0])).assign(r=np.nan), "instrument")
    assert np.isnan(table["profit_factor"].iloc[0]) and np.isnan(table["r_mean"].iloc[0])
    assert group_table(RUN.iloc[:0], "year").empty


def test_an_unknown_grouping_names_the_near_one():
    with pytest.raises(UnknownName, match="did you mean 'session'"):
        group_table(RUN, "sesion")
