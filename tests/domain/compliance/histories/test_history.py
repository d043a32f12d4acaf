"""Where a history begins, whether its sums hold, and what is not known of it."""

from __future__ import annotations

import numpy as np
import pytest

from domain.compliance.histories import read
from domain.errors import BadRequest
from domain.market import instruments
from tests.domain.compliance.histories import statements

NO_DEPOSIT = statements.MT4_HTML.replace(
    '<tr align=right><td title="Deposit">101</td><td class=msdate nowrap>2024.03.04 05:53:24</td><td>balance</td><td colspan=10 align=left>Deposit</td><td class=mspt>10 000.00</td></tr>\n',
    "",
)


def history(folder, content=statements.MT4_HTML, name="s.htm", **more):
    return read(statements.written(folder, name, content), known=instruments(), **(dict(clock="mt5_us") | more))


def by_key(got):
    return {finding.key: finding for finding in got.findings}


def test_the_rows_of_a_statement_add_up_to_its_balance(tmp_path):
    got = history(tmp_path)
    assert (
        got.balance == 9302.25
        and by_key(got)["sum_equal"].sentence == "The rows add up to the stated balance, 9,302.25."
    )
    assert "sum_differs" not in by_key(got)


def test_a_sum_that_differs_is_a_warning_with_the_difference(tmp_path):
    finding = by_key(history(tmp_path, statements.MT4_HTML.replace("9 302.25", "9 300.00")))["sum_differs"]
    assert (
        finding.severity == "warning"
        and finding.sentence
        == "The rows add up to 9,302.25, and the statement says its balance is 9,300.00: 2.25 less."
    )


def test_a_deal_that_does_not_lead_to_the_next_balance_is_a_warning_with_its_row(tmp_path):
    deals = tuple(deal for deal in statements.DEALS if deal[1] != "9005")
    finding = by_key(history(tmp_path, statements.mt5_html(deals=deals), "r.html"))["balance_jumps"]
    assert finding.severity == "warning" and finding.sentence.startswith("1 row does not lead from the balance before")


def test_a_report_of_a_part_of_the_accounts_life_begins_with_the_balance_before_its_first_row(tmp_path):
    got = history(
        tmp_path, statements.mt5_html(deals=statements.DEALS[2:], positions=statements.POSITIONS[1:]), "r.html"
    )
    assert got.initial == 9996.5 and "9,996.50" in by_key(got)["opening"].sentence and by_key(got)["sum_equal"]


def test_a_statement_without_a_deposit_begins_with_its_balance_less_its_rows(tmp_path):
    got = history(tmp_path, NO_DEPOSIT)
    assert (
        got.initial == 10_000.0
        and "checks nothing" in by_key(got)["opening"].sentence
        and "sum_equal" not in by_key(got)
    )


def test_a_balance_at_the_start_that_is_given_counts_and_a_contradiction_is_a_warning(tmp_path):
    got = history(tmp_path, initial=25_000.0)
    assert got.initial == 25_000.0 and got.points["balance"].iloc[-1] == 24_302.25
    assert by_key(got)["opening"].severity == "warning" and by_key(got)["sum_differs"].severity == "warning"
    assert "opening" not in by_key(history(tmp_path, initial=10_000.0))


def test_a_file_that_says_nothing_of_the_start_is_refused(tmp_path):
    rows = statements.MT4_CSV.split("\n")
    with pytest.raises(BadRequest, match="give the initial balance"):
        history(tmp_path, "\n".join([rows[0], *rows[2:]]), "s.csv", currency="USD")


@pytest.mark.parametrize("initial", [0.0, -5.0, float("nan"), float("inf")])
def test_a_start_that_is_no_balance_is_refused(initial, tmp_path):
    with pytest.raises(BadRequest, match="above zero"):
        history(tmp_path, initial=initial)


def test_times_are_on_the_chosen_clock_through_daylight_saving(tmp_path):
    """mt5_us is New York + 7 h: UTC+2 until 10 March 2024, UTC+3 after it. mt5_eu follows Europe's 31 March."""
    assert str(history(tmp_path).trades["exit_ts"].iloc[0]) == "2024-03-04 13:13:15+00:00"
    later = statements.MT4_HTML.replace("2024.03.07 10:00:00", "2024.03.12 10:00:00").replace(
        "2024.03.08 11:00:00", "2024.03.12 11:00:00"
    )
    assert str(history(tmp_path, later).trades["exit_ts"].iloc[-1]) == "2024-03-12 08:00:00+00:00"
    assert str(history(tmp_path, later, clock="mt5_eu").trades["exit_ts"].iloc[-1]) == "2024-03-12 09:00:00+00:00"
    assert "New York + 7 h" in by_key(history(tmp_path))["clock"].sentence


def test_trades_in_the_weekend_warn_of_the_clock(tmp_path):
    """Friday 15 March 2024, 23:30 on the server: 16:30 New York under mt5_us, but 19:30 under UTC."""
    friday = statements.MT4_HTML.replace("2024.03.08 11:00:00", "2024.03.15 23:30:00")
    assert "weekend" not in by_key(history(tmp_path, friday))
    assert by_key(history(tmp_path, friday, clock="UTC"))["weekend"].sentence.startswith(
        "1 time of currencies and metals lie"
    )


def test_equity_is_known_where_nothing_is_open_and_nowhere_else(tmp_path):
    points = history(tmp_path).points
    assert np.isnan(points["equity"]).tolist() == (points["open"] > 0).tolist() and points["open"].tolist() == [
        1,
        0,
        1,
        0,
        0,
        1,
        0,
    ]


def test_the_path_of_a_statement_says_that_its_equity_is_the_balance(tmp_path):
    path = history(tmp_path).path()
    assert not path.floating and path.equity.tolist() == path.balance.tolist() and path.equity_low is None
    assert path.initial == 10_000.0 and path.flows["amount"].tolist() == [-200.0] and path.currency == "USD"
    assert path.ts[0] == path.trades["entry_ts"].iloc[0].value


def test_what_is_left_out_is_stated(tmp_path):
    findings = by_key(history(tmp_path, statements.MT4.replace("OPEN_TRADES", statements.ONE_OPEN)))
    assert findings["credit"].sentence == "Credit of 50.00 is not part of the balance and is left out."
    assert findings["cancelled"].sentence == "1 order was never filled and left out."
    assert findings["open"].severity == "warning" and "-20.70 floating" in findings["open"].sentence


def test_the_first_stop_is_not_known_of_a_statement(tmp_path):
    trades = history(tmp_path).trades
    assert trades["stop_loss"].isna().all() and trades["r"].isna().all() and trades["last_stop"].iloc[1] == 2130.0
    assert trades["exit_reason"].tolist() == ["target_1", "stop_loss", ""]


def test_a_row_that_stands_twice_is_a_warning(tmp_path):
    row = statements.MT4_CSV.split("\n")[2]
    got = history(tmp_path, statements.MT4_CSV + row + "\n", "s.csv", currency="USD")
    assert by_key(got)["doubled"].sentence.startswith("1 trade is there a second time")


def test_an_account_that_lived_on_from_deposits_alone_is_stated(tmp_path):
    """10,000, then 493 won and 1,009.50 lost, and a deposit in place of the withdrawal: 9,483.50 is left without it. A loss of 20,000 is not."""
    deposit = statements.MT4_HTML.replace("-200.00", "15 000.00").replace("Withdrawal", "Deposit 2")
    assert "refilled" not in by_key(history(tmp_path, deposit))
    lost = by_key(history(tmp_path, deposit.replace("-1 000.00", "-20 000.00", 1)))["refilled"]
    assert lost.severity == "warning" and "15,000.00, the account would have been empty on 2024-03-06" in lost.sentence
