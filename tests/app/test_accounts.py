"""Imported accounts on the page of compliance: a statement's findings, and the equity rebuilt from bars."""

from __future__ import annotations

import pytest

from tests.app.test_compliance import buttons, system, written  # noqa: F401  a worker's process
from tests.app.test_pages import draw
from tests.domain.compliance.histories import statements
from tests.worker.test_account_histories import history_of, imported

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_an_account_shows_its_findings_and_says_what_a_rebuild_lacks(desk, system, tmp_path):  # noqa: F811
    history = history_of(desk, imported(desk, statements.write(tmp_path, "mt5_html")))
    test = draw("compliance", desk, view="accounts", account=history.id)
    assert (
        not test.exception
        and "The rows add up to the stated balance, 9,783.00." in written(test)
        and "clock MetaTrader, New York + 7 h" in written(test)
    )
    next(button for button in test.button if button.label == "Rebuild from bars").click()
    test.run()
    sentence = " ".join(str(element.value) for kind in (test.error, test.warning) for element in kind)
    assert not test.exception and "no bars of M1 to H1 that cover the trades in EURUSD, XAUUSD" in sentence.replace(
        "\\", ""
    )
    assert "Judge" in buttons(test)
