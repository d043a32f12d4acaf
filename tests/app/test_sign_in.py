"""Signing in over HTTP: cookies, forms, lock-out, sessions that end; and what an attacker tries."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.gate import Sockets
from tests.app.signing import WORD, Browser
from worker.desk import Desk

pytestmark = pytest.mark.usefixtures("quick_hash")


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def settings(settings):
    return replace(settings, people=replace(settings.people, sign_in="local"))


@pytest.fixture
def signing(desk: Desk) -> Desk:
    desk.users.add("ana", "admin", WORD)
    desk.users.add("bob", "analyst", WORD)
    return desk


@pytest.fixture
def browser(signing: Desk) -> Browser:
    return Browser(signing)


def events(desk: Desk, kind: str) -> list[Any]:
    return [event for event in desk.trail.rows(size=200) if event.kind == kind]


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_gets_nothing_else(browser: Browser):
    reply = browser.get("/backtest?run=ab")
    assert (reply.status, reply.header("location")) == (303, "/sign-in?next=%2Fbacktest%3Frun%3Dab")
    for path in ("/static/js/index.js", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b", "/media/x.csv", "/component/a/index.html", "/app/static/a.png", "/auth/login", "/oauth2callback", "/nothing"):
        for method in ("GET", "PUT", "POST", "DELETE", "OPTIONS"):
            reply = browser.call(path, method=method, accept="*/*")
            assert reply.status == 401 and "the desk" not in reply.body, (path, method)


@pytest.mark.parametrize("path", ["//", "//sign-in", "/sign-in/", "/sign-in/../", "/Sign-In", "/sign-in/x", "/sign-in;/media", "//health", "/health/", "/api", "//api/v1", "/metrics/", "/ws", "/ws/", "/%2e%2e/media", "/sign-in/oidc/callback/x", "/./", "\\api\\", "", "*"])
def test_no_spelling_of_a_path_passes_the_gate(browser: Browser, path: str):
    reply = browser.get(path, accept="*/*")
    assert reply.status in (401, 303) and "the desk" not in reply.body


def test_signing_in_sets_cookies_that_no_script_and_no_other_site_can_use(browser: Browser):
    reply = browser.enter("Ana ", wanted="/paper?session=x")
    assert (reply.status, reply.header("location")) == (303, "/paper?session=x")
    for cookie in reply.cookies.values():
        assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "Path=/" in cookie and "secure" not in cookie.lower() and "domain" not in cookie.lower()
    assert browser.get("/").body == "the desk"


def test_over_an_encrypted_connection_they_are_secure_and_of_this_host_only(signing: Desk):
    browser = Browser(signing, scheme="https")
    reply = browser.enter("ana")
    assert {"__Host-tidemark_session", "__Host-tidemark_device"} <= set(reply.cookies) and all("secure" in cookie.lower() for name, cookie in reply.cookies.items() if name.startswith("__Host"))
    assert browser.get("/").body == "the desk"
    tossed = Browser(signing, {"tidemark_session": browser.jar["__Host-tidemark_session"]}, scheme="https")
    assert tossed.get("/", accept="*/*").status == 401


@pytest.mark.parametrize(("name", "password"), [("ana", "wrong words of a sentence"), ("nobody", WORD), ("ana", ""), ("", ""), ("ana'--", WORD), ("a" * 500, "b" * 5_000), ("ana\0", WORD), ("ána", WORD)])
def test_what_is_wrong_is_not_stated(browser: Browser, name: str, password: str):
    reply = browser.enter(name, password)
    if reply.status == 400:     # too large to be read
        return
    assert reply.status == 403 and "Name, password or code is not right." in reply.body and "tidemark_session" not in browser.jar and WORD not in reply.body


def test_an_unknown_name_costs_the_same_work(browser: Browser, monkeypatch):
    from worker.desk import passwords

    verified = []
    hasher = passwords._hasher()

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored.split("$")[1:4])
            return bool(hasher.verify(stored, password))

        def hash(self, password: str) -> str:
            return str(hasher.hash(password))

    monkeypatch.setattr(passwords, "_hasher", Counting)
    browser.desk.users.disable("bob")
    for name in ("ana", "nobody", "bob"):
        assert browser.enter(name, "wrong words of a sentence").status == 403
    assert len(verified) == 3 and verified[0] == verified[1] == verified[2]


def test_a_cookie_that_somebody_gave_a_browser_is_never_taken_over(signing: Browser, browser: Browser):
    browser.jar["tidemark_session"] = fixed = "a" * 43
    browser.enter("ana")
    assert browser.jar["tidemark_session"] != fixed and Browser(browser.desk, {"tidemark_session": fixed}).get("/", accept="*/*").status == 401
    before = browser.jar["tidemark_session"]
    Browser(browser.desk, browser.jar).call("/sign-in")     # who is signed in goes on, without a new session
    other = Browser(browser.desk, {"tidemark_session": before, "tidemark_form": "f"})
    other.call("/sign-in", f"name=bob&password={WORD.replace(' ', '+')}&form=f".encode(), "POST", content_type="application/x-www-form-urlencoded")
    assert other.jar["tidemark_session"] != before and Browser(browser.desk, {"tidemark_session": before}).get("/", accept="*/*").status == 401


def test_a_form_of_another_site_signs_nobody_in(browser: Browser):
    sent = f"name=ana&password={WORD.replace(' ', '+')}&form=".encode()
    for body in (sent, sent + b"x", sent.replace(b"&form=", b"")):
        assert browser.call("/sign-in", body, "POST", content_type="application/x-www-form-urlencoded").status == 400
    browser.get("/sign-in")
    assert browser.call("/sign-in", sent + b"guess", "POST", content_type="application/x-www-form-urlencoded").status == 400
    token = browser.jar["tidemark_form"].encode()
    assert browser.call("/sign-in", sent + token, "POST", content_type="text/plain").status == 400
    assert browser.call("/sign-in", sent + token, "POST", content_type="application/x-www-form-urlencoded").status == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-in", "/a\r\nset-cookie: x=1", "\t//evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(browser: Browser, wanted: str):
    assert browser.enter("ana", wanted=wanted).header("location") == "/"


def test_what_was_typed_is_shown_as_text(browser: Browser):
    reply = browser.enter("'><script>alert(1)</script>", "x")
    assert "<script" not in reply.body


def test_five_failures_lock_for_a_minute_and_the_right_password_too(browser: Browser):
    statuses = [browser.enter("ana", "wrong words of a sentence").status for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    reply = browser.enter("ana")
    assert reply.status == 429 and 0 < int(reply.header("retry-after")) <= 61 and "Too many attempts. Try again in" in reply.body
    assert [event.actor for event in events(browser.desk, "sign_in_locked")] == ["ana"]
    assert Browser(browser.desk, address="10.0.0.2").enter("ana").status == 303     # somebody else's failures do not lock the user out elsewhere


def test_an_unknown_name_is_locked_alike(browser: Browser):
    assert [browser.enter("nobody", "wrong words of a sentence").status for _ in range(6)] == [403] * 5 + [429]


def test_a_browser_in_which_the_user_signed_in_before_cannot_be_locked_out_by_others(browser: Browser):
    browser.enter("ana")
    for k in range(24):     # from one address and from many
        Browser(browser.desk, address=browser.address if k < 6 else f"10.1.0.{k}").enter("ana", "wrong words of a sentence")
    assert Browser(browser.desk, address="10.2.0.1").enter("ana").status == 429      # the name is locked for browsers that nobody knows
    browser.jar.pop("tidemark_session")
    assert browser.enter("ana").status == 303
    stolen = Browser(browser.desk, {"tidemark_device": browser.jar["tidemark_device"]})
    assert [stolen.enter("ana", "wrong words of a sentence").status for _ in range(6)] == [403] * 5 + [429]


def test_one_address_cannot_try_many_names(browser: Browser):
    statuses = [browser.enter(f"user{k}", "wrong words of a sentence").status for k in range(22)]
    assert statuses == [403] * 20 + [429] * 2


def test_attempts_side_by_side_gain_nothing(browser: Browser, signing: Desk):
    from concurrent.futures import ThreadPoolExecutor

    from worker.desk import Caller, NotSignedIn

    def attempt(_: int) -> int:
        with pytest.raises(NotSignedIn) as refusal:
            signing.sign_in.by_password("ana", "wrong words of a sentence", "", Caller("10.0.0.9"))
        return refusal.value.seconds

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(attempt, range(16)))
    assert waits.count(0) == 5


def test_a_session_ends_when_it_is_revoked_or_its_user_disabled_or_the_password_set(browser: Browser):
    for end in (
        lambda: browser.desk.users.revoke(browser.desk.users.sessions("bob")[0].id), lambda: browser.desk.users.disable("bob"), lambda: browser.desk.users.set_password("bob", WORD + "!"),
        lambda: browser.desk.users.revoke_all("bob"), lambda: browser.desk.signed_in(browser.jar["tidemark_session"]).account.sign_out(),
    ):  # fmt: skip
        browser.desk.users.enable("bob")
        browser.enter("bob") if browser.enter("bob").status == 303 else browser.enter("bob", WORD + "!")
        assert browser.get("/").body == "the desk"
        end()
        assert browser.get("/", accept="*/*").status == 401
        assert "tidemark_session" not in browser.jar or browser.get("/").status == 303


def test_a_disabled_user_cannot_sign_in_and_does_not_learn_why(browser: Browser):
    browser.desk.users.disable("bob")
    reply = browser.enter("bob")
    assert reply.status == 403 and "Name, password or code is not right." in reply.body and events(browser.desk, "sign_in_failed")[0].detail["why"] == "disabled"


def test_a_session_is_too_old_after_its_hours(browser: Browser, store):
    browser.enter("ana")
    with store.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE user_sessions SET expires_at = '2020-01-01 00:00:00'")
    assert browser.get("/", accept="*/*").status == 401


def test_a_websocket_needs_a_session_and_is_closed_when_that_ends(browser: Browser, monkeypatch):
    monkeypatch.setattr("app.gate.LOOK", 0.001)
    stale = Browser(browser.desk, {"tidemark_session": "b" * 43})
    browser.enter("bob")
    sent, refused = asyncio.run(talk(browser, "/_stcore/stream")), asyncio.run(talk(stale, "/_stcore/stream"))
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"] and sent[-1]["code"] == 1008
    assert [message["type"] for message in refused] == ["websocket.close"]
    assert asyncio.run(talk(browser, "/_stcore/stream"))[0]["type"] == "websocket.close"


async def talk(browser: Browser, path: str) -> list[Any]:
    """Connect, say one thing, then have the session revoked by an administrator; what came back."""
    sent: list[Any] = []
    given = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]

    async def receive() -> Any:
        if given:
            return given.pop(0)
        browser.desk.users.revoke_all("bob")
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(browser.gate(browser.scope(path, "websocket"), receive, send), 20)
    return sent


def test_a_socket_whose_client_goes_is_not_watched_any_more():
    async def gone() -> bool:
        sockets = Sockets(set)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert (await receive())["type"] == "websocket.disconnect"

        async def receive() -> Any:
            return {"type": "websocket.disconnect", "code": 1001}

        await sockets.serve(app, {}, receive, receive, "secret")
        return not sockets._open

    assert asyncio.run(gone())


def test_a_link_on_another_site_opens_the_page_of_who_is_signed_in(browser: Browser):
    reply = browser.get("/backtest", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert reply.status == 200 and "url=/backtest" in reply.body and "the desk" not in reply.body
    assert browser.get("/backtest", sec_fetch_site="same-origin", sec_fetch_mode="navigate").status == 303


def test_no_secret_is_in_the_trail(browser: Browser, store):
    browser.enter("ana")
    browser.enter("four words of a sentence", "secret of nobody")
    with store.read() as unit:
        text = "".join(event.body for event in unit.trail.all())
    assert WORD not in text and "secret of nobody" not in text and browser.jar["tidemark_session"] not in text and browser.jar["tidemark_device"] not in text and "argon2" not in text


def test_health_says_no_more_than_whether_it_is_well_and_the_api_takes_no_cookie(browser: Browser):
    from tests.app.api.calling import Client

    browser.enter("ana")
    cookie = f"tidemark_session={browser.jar['tidemark_session']}"
    client = Client(browser.desk)
    for path in ("/jobs", "/metrics", "/health", "/stream", "/approvals"):
        assert client.get(path).status == 401 and client.get(path, cookie=cookie).status == 401, path
    assert client.post("/data/synthetic", {}, cookie=cookie, origin="http://127.0.0.1:8501").status == 401
    assert client.get("/api/docs").status == 200 and "bob" not in client.get("/openapi.json").body.decode()


def test_files_are_kept_by_no_cache(browser: Browser):
    browser.enter("ana")
    assert browser.get("/media/a.csv").header("cache-control") == "private, no-store" and browser.get("/").header("cache-control") == ""


def test_a_post_from_another_site_is_refused_before_the_form_is_read(browser: Browser):
    from app.guard import Guard

    browser.gate = Guard(browser.gate, frozenset({"127.0.0.1"}))        # type: ignore[assignment]
    assert browser.enter("ana", origin="https://evil.example").status == 403
    assert browser.enter("ana", origin="http://127.0.0.1:8501").status == 303
    assert browser.get("/sign-in", host="evil.example").status == 403


def test_two_browsers_of_one_network_share_a_count(browser: Browser):
    statuses = [Browser(browser.desk, address=f"2001:db8::{k}").enter("ana", "wrong words of a sentence").status for k in range(6)]
    assert statuses == [403] * 5 + [429]
