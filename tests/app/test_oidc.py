"""Signing in at an OpenID provider: the real protocol, over loopback, and what a false token or a false browser comes to."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.app.signing import WORD, Browser
from tests.doubles.openid import CLIENT, SECRET, WRONG, OpenId, serving
from worker.desk import Desk

pytestmark = pytest.mark.usefixtures("quick_hash")


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture(scope="module")
def running() -> Iterator[OpenId]:
    with serving() as provider:
        yield provider


@pytest.fixture
def provider(running: OpenId) -> OpenId:
    running.wrong, running.account = "", dict(sub="7", email="Ana@example.com", email_verified=True)
    return running


@pytest.fixture
def settings(settings, provider: OpenId):
    people = replace(settings.people, sign_in="oidc", oidc_issuer=provider.issuer, oidc_client=CLIENT)
    return replace(settings, people=people, oidc_secret=SECRET)


@pytest.fixture
def browser(desk: Desk) -> Browser:
    desk.users.add("ana", "admin", email="ana@example.com")
    return Browser(desk)


def back_from(browser: Browser) -> str:
    """Go to the provider, where the browser's user is signed in; the address that it sends the browser to."""
    reply = browser.get("/sign-in/oidc")
    assert reply.status == 302, reply.body
    parts = urlsplit(reply.header("location"))
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    address = urlsplit(connection.getresponse().headers["location"])
    connection.close()
    assert (address.netloc, address.path) == ("127.0.0.1:8501", "/sign-in/oidc/callback")
    return f"{address.path}?{address.query}"


def test_whoever_the_provider_confirms_is_signed_in(browser: Browser):
    assert "Sign in with 127.0.0.1" in browser.get("/sign-in").body and "name=password" not in browser.get("/sign-in").body
    reply = browser.get(back_from(browser))
    assert reply.status == 200 and "url=/" in reply.body and "samesite=strict" in reply.cookies["tidemark_session"].lower() and "HttpOnly" in reply.cookies["tidemark_session"]
    assert browser.get("/").body == "the desk" and browser.desk.users.sessions("ana")[0].how == "oidc"
    browser.desk.users.disable("ana") if browser.desk.users.add("zoe", "admin", WORD) else None
    assert browser.get("/", accept="*/*").status == 401 and browser.get(back_from(browser)).status == 403


@pytest.mark.parametrize("wrong", [*WRONG, "key"])
def test_a_false_token_signs_nobody_in(browser: Browser, provider: OpenId, wrong: str):
    provider.wrong = wrong
    reply = browser.get(back_from(browser))
    assert reply.status == 503 and "did not confirm it" in reply.body and "tidemark_session" not in browser.jar


def test_an_address_that_the_provider_has_not_verified_is_nobodys(browser: Browser, provider: OpenId):
    for account in (dict(sub="8", email="ana@example.com", email_verified=False), dict(sub="8", email="ana@example.com"), dict(sub="8", email="ana@example.com", email_verified="true"), dict(sub="9", email="eve@example.com", email_verified=True)):
        provider.account = account
        reply = browser.get(back_from(browser))
        assert reply.status == 403 and "may not use Tidemark" in reply.body and "tidemark_session" not in browser.jar


def test_the_answer_belongs_to_the_browser_that_requested_and_is_good_once(browser: Browser):
    answer = back_from(browser)
    stranger = Browser(browser.desk)
    assert stranger.get(answer).status == 503 and "tidemark_session" not in stranger.jar      # an attacker's code in somebody else's browser
    state = parse_qs(urlsplit(answer).query)["state"][0]
    assert browser.get(f"/sign-in/oidc/callback?code=guess&state={state}").status == 503
    assert browser.get(answer).status == 503        # its state is used up
    fresh = back_from(browser)
    assert browser.get(fresh).status == 200 and Browser(browser.desk, browser.jar).get(fresh).status == 503


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied&error_description=%3Cscript%3E", "?code=a&code=b&state=&state=x"])
def test_a_forged_answer_is_a_sentence(browser: Browser, query: str):
    reply = browser.get(f"/sign-in/oidc/callback{query}")
    assert reply.status == 503 and "did not confirm it" in reply.body and "<script" not in reply.body


def test_a_provider_that_is_away_is_a_sentence(browser: Browser, provider: OpenId):
    provider.wrong = "away"
    reply = browser.get("/sign-in/oidc")
    assert reply.status == 503 and "did not confirm it" in reply.body and SECRET not in reply.body


def test_no_password_is_taken_where_people_sign_in_at_a_provider(browser: Browser):
    browser.desk.users.set_password("ana", WORD)
    assert browser.enter("ana").status == 400 and "tidemark_session" not in browser.jar
