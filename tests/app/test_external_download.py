"""Download of external data on the Data page: what each vendor gives, and what it needs."""

from __future__ import annotations

import pytest

from tests.app.test_pages import captions, draw

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_a_download_without_the_key_says_which_variable_is_missing(desk):
    test = draw("data", desk, view="external", do="download")
    assert not test.exception and "first published" in captions(test)
    assert [box.label for box in test.selectbox] == ["Series"] and "DXY" not in " ".join(test.selectbox[0].options)
    button = next(button for button in test.button if button.label == "Download" and not button.disabled)
    test = button.click().run()
    assert any("TIDEMARK_FRED_KEY" in error.value.replace("\\", "") for error in test.error) and not test.exception


def test_the_way_to_a_download_is_on_the_page_of_external_data(desk):
    assert "Download…" in [button.label for button in draw("data", desk, view="external").button]
