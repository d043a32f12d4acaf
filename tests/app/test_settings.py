"""Settings: account, tokens, requests, people; and what a role may not do on the other pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import SecondPerson
from tests.app.test_pages import captions, dataset, draw
from worker.desk import Actor, Caller, Desk

pytestmark = [pytest.mark.parametrize("kind", ["sqlite"], indirect=True), pytest.mark.usefixtures("quick_hash")]
WORD = "four words of a sentence"


@pytest.fixture
def people(desk: Desk, store, settings, sent) -> dict[str, Desk]:
    """The desks of three people who are signed in."""
    at = Desk(store, replace(settings, people=replace(settings.people, sign_in="local", two_persons=True)), send=sent)
    desks = {}
    for name, role in dict(ana="admin", bob="trader", eve="viewer").items():
        at.users.add(name, role, WORD)
        signed_in = at.signed_in(at.sign_in.by_password(name, WORD, "", Caller("10.0.0.1")).secret)
        assert signed_in is not None
        desks[name] = signed_in
    return desks


def button(test, label: str):
    return next(each for each in test.button if each.label == label)


def test_a_token_is_shown_once(people: dict[str, Desk]):
    test = draw("settings", people["bob"], view="tokens")
    assert test.selectbox[0].options == ["viewer", "analyst", "trader"]
    test.text_input[0].set_value("notebook")
    button(test, "Create").click().run()
    secret = test.code[0].value
    assert secret.startswith("tidemark_") and people["ana"].tokens.actor_of(secret).behind == "bob"       # type: ignore[union-attr]
    test.run()
    assert not test.code and not test.exception


def test_a_user_is_added_and_what_cannot_be_is_stated(people: dict[str, Desk]):
    test = draw("settings", people["ana"], view="people")
    next(each for each in test.text_input if each.label == "Name").set_value("zoe")
    next(each for each in test.text_input if each.label == "Password").set_value("short")
    button(test, "Add user").click().run()
    assert "10 to 256 letters" in test.error[0].value.replace("\\", "")
    next(each for each in test.text_input if each.label == "Password").set_value(WORD)
    button(test, "Add user").click().run()
    assert people["ana"].users.get("zoe").role == "viewer" and not test.exception
    assert "The list of users needs the role admin." in captions(draw("settings", people["eve"], view="people"))


def test_a_request_is_decided_on_the_page_by_somebody_else(people: dict[str, Desk]):
    people["bob"].paper.halt("odd fills")
    with pytest.raises(SecondPerson):
        people["bob"].paper.release("looked at it")
    own = draw("settings", people["bob"], view="requests")
    assert button(own, "Approve").disabled and not button(own, "Withdraw").disabled and draw("settings", people["eve"], view="requests").button[0].disabled
    test = draw("settings", people["ana"], view="requests")
    button(test, "Approve").click().run()
    assert not test.exception and not people["ana"].paper.halts() and people["ana"].approvals.all()[0].decided_by == "ana"


def test_ones_own_account_offers_a_code_and_confirms_it(people: dict[str, Desk]):
    import pyotp

    test = draw("settings", people["bob"], view="account")
    next(each for each in test.text_input if each.key == "code-password").set_value(WORD)
    button(test, "Set up").click().run()
    key = test.code[0].value.replace(" ", "")
    next(each for each in test.text_input if each.label == "Code").set_value(pyotp.TOTP(key).now())
    button(test, "Confirm").click().run()
    assert people["bob"].account.me().code and not test.code and not test.exception


def test_without_sign_in_there_is_no_account_and_the_rest_says_so(desk: Desk):
    assert [each.value for each in draw("settings", desk, view="account").warning] and "Nobody signs in" in captions(draw("settings", desk, view="people")).replace("\\", "")


@pytest.mark.parametrize(("page", "query"), [("backtest", {}), ("data", {}), ("strategies", {}), ("audit", {}), ("features", {"view": "compute"})])
def test_a_viewer_opens_a_page_and_buttons_that_change_something_say_why_not(desk: Desk, page: str, query: dict[str, str]):
    dataset(desk, "EURUSD", 1)
    test = draw(page, desk.acting(Actor("eve", "viewer")), **query)
    assert not test.exception
    for each in test.button:
        if each.label in ("Run backtest", "Run scan", "Train", "Save strategy", "Verify now", "Import…", "Generate…", "Download…", "Compute", "Start session"):
            assert each.disabled and "You have the role viewer. This needs the role" in each.help, each.label
