"""Two people in two browsers: one signs in and works, the other ends the session; the open page is refused, and with it everything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Installation, start, stop
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press, press_until
from tests.terminal import terminal

pytestmark = pytest.mark.browser
WORD = "four words of a sentence"


def add_user(home: Path, name: str, role: str) -> None:
    terminal({"TIDEMARK_STORAGE_HOME": str(home)}, "users", "add", name, "--role", role, typed=f"{WORD}\n")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Installation]:
    """An installation in which people sign in, with an administrator and a trader."""
    home = tmp_path_factory.mktemp("shared") / "var"
    for name, role in (("ana", "admin"), ("bob", "trader")):
        add_user(home, name, role)
    running = start(home, TIDEMARK_PEOPLE_SIGN_IN="local", TIDEMARK_PEOPLE_TWO_PERSONS="true", TIDEMARK_EXAMPLE="false", TIDEMARK_WORK_PROCESSES="1")
    yield running
    stop(running)


@pytest.fixture
def tabs(chromium) -> Iterator[Any]:
    """Makes a tab in a browser of its own, and collects what its scripts complain of."""
    contexts, broken = [], []

    def tab(width: int = 1280, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda message: broken.append(message.text) if "Content Security Policy" in message.text else None)
        return page

    yield tab
    for context in contexts:
        context.close()
    assert not broken


def enter(page: Any, url: str, name: str, password: str = WORD) -> None:
    """Open an address, and sign in with the keyboard alone."""
    page.goto(url)
    page.wait_for_url("**/sign-in?**")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_a_session_that_is_ended_takes_the_open_page_with_it(shared: Installation, tabs):
    bob, ana = tabs(), tabs()
    enter(bob, f"{shared.url}/settings?view=tokens", "bob")
    expect(bob.get_by_text("with which programs use the API")).to_be_visible()
    bob.get_by_label("Program").fill("notebook")
    press(bob.get_by_role("button", name="Create"))
    expect(bob.get_by_text("it is shown this once")).to_be_visible()
    assert bob.locator("code").first.inner_text().startswith("tidemark_")
    media = bob.evaluate("async () => (await fetch('/_stcore/host-config')).status")
    enter(ana, f"{shared.url}/settings?view=people", "ana")
    expect(ana.get_by_text("who is signed in where")).to_be_visible()
    terminal(shared.environment, "users", "sessions", "bob", "--revoke-all")
    bob.wait_for_url("**/sign-in")
    assert media == 200 and bob.evaluate("async () => (await fetch('/_stcore/host-config')).status") == 401
    bob.goto(f"{shared.url}/settings")
    bob.wait_for_url("**/sign-in?**")
    expect(ana.get_by_text("ana, admin")).to_be_visible()       # nobody else is touched
    press(ana.get_by_role("button", name="Sign out"))
    ana.wait_for_url("**/sign-in")
    shared.terminal("audit", "export", "--out", str(shared.home / "events.jsonl"))
    written = (shared.home / "events.jsonl").read_text()
    assert all(kind in written for kind in ("signed_in", "token_created", "session_revoked", "signed_out")) and WORD not in written


@pytest.mark.long
def test_a_wrong_password_is_stated_on_a_small_screen_in_the_dark(shared: Installation, tabs):
    page = tabs(390, "dark")
    enter(page, shared.url, "bob", "wrong words of a sentence")
    expect(page.get_by_role("alert")).to_have_text("Name, password or code is not right.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Password").fill(WORD)
    press(page.get_by_role("button", name="Sign in"))
    page.wait_for_url(f"{shared.url}/")


@pytest.mark.long
def test_a_role_changed_on_the_page_holds_in_the_other_browser(shared: Installation, tabs):
    add_user(shared.home, "cy", "viewer")
    cy, ana = tabs(), tabs()
    enter(cy, f"{shared.url}/settings?view=people", "cy")
    expect(cy.get_by_text("The list of users needs the role admin.")).to_be_visible()
    enter(ana, f"{shared.url}/settings?view=people", "ana")
    press_until(ana.get_by_text("Add a user"), ana.get_by_role("button", name="Add user"))
    ana.get_by_label("Name", exact=True).fill("zoe")
    ana.get_by_label("Password", exact=True).fill(WORD)
    choose(ana.get_by_label("Role", exact=True), ana.get_by_role("option", name="auditor"))
    press(ana.get_by_role("button", name="Add user"))
    shared.wait_for(lambda: any(user["id"] == "zoe" and user["role"] == "auditor" for user in shared.terminal("users", "list")))
    terminal(shared.environment, "users", "role", "cy", "admin")
    cy.goto(f"{shared.url}/settings?view=people")
    expect(cy.get_by_text("who is signed in where")).to_be_visible()
