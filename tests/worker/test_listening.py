"""Refusals before the app listens, and the messages of what it listens on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import BadRequest
from worker.listening import administered, checked, flags, protections_off, record, sentence
from worker.settings import ROOT, load
from worker.supervise import app_command


@pytest.fixture
def plain():
    return load(environment={})


def with_app(settings, **values):
    return replace(settings, app=replace(settings.app, **values))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk.example.com"])
def test_listening_beyond_this_machine_needs_a_reason(plain, tmp_path, host):
    with pytest.raises(BadRequest, match=r"lets other machines in, and nobody signs in. .*TIDEMARK_PEOPLE_SIGN_IN=local. Or listen on 127.0.0.1, or state why it is safe: TIDEMARK_APP_BEHIND"):
        checked(with_app(plain, host=host), {}, tmp_path)
    for behind in ("reverse proxy", "loopback only"):
        checked(with_app(plain, host=host, behind=behind), {}, tmp_path)


def test_where_people_sign_in_other_machines_may_come(plain, tmp_path):
    local = replace(plain.people, sign_in="local")
    checked(replace(with_app(plain, host="0.0.0.0"), people=local), {}, tmp_path)
    assert sentence(with_app(plain, host="0.0.0.0").app, local).startswith("Listening on 0.0.0.0; people sign in with a password.")


@pytest.mark.parametrize(("values", "secret"), [({}, "s"), (dict(oidc_issuer="https://id.example.com"), "s"), (dict(oidc_issuer="http://id.example.com", oidc_client="c"), "s"), (dict(oidc_issuer="https://id.example.com", oidc_client="c"), "")])
def test_a_provider_needs_its_address_a_client_and_its_secret(plain, tmp_path, values, secret):
    with pytest.raises(BadRequest, match="TIDEMARK_OIDC_SECRET"):
        checked(replace(plain, people=replace(plain.people, sign_in="oidc", **values), oidc_secret=secret), {}, tmp_path)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_nobody_starts_a_server_that_no_administrator_can_enter(settings, desk, quick_hash):
    local = replace(settings, people=replace(settings.people, sign_in="local"))
    for add in (lambda: None, lambda: desk.users.add("bob", "viewer", "four words of a sentence"), lambda: desk.users.add("cy", "admin", email="cy@example.com")):
        add()
        with pytest.raises(BadRequest, match=r"there is no administrator yet\. Make one: tidemark users add NAME --role admin"):
            administered(local)
    administered(replace(settings, people=replace(settings.people, sign_in="oidc")))
    desk.users.add("ana", "admin", "four words of a sentence")
    administered(local)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_alone_needs_none(plain, tmp_path, host):
    checked(with_app(plain, host=host), {}, tmp_path)
    assert sentence(with_app(plain, host=host).app, plain.people) == f"Listening on {host}, for this machine only."


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_it_stands_in_the_trail_and_in_the_settings(settings, store, desk):
    record(with_app(settings, host="0.0.0.0", behind="reverse proxy"))
    with store.read() as unit:
        event, = unit.trail.all()
    assert (event.actor, event.kind) == ("ana", "listening_beyond_this_machine") and '"behind":"reverse proxy"' in event.body and '"host":"0.0.0.0"' in event.body
    assert desk.system.listening() == "Listening on 127.0.0.1, for this machine only."


@pytest.mark.parametrize("variable", ["STREAMLIT_SERVER_ENABLE_CORS", "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION"])
@pytest.mark.parametrize("value", ["false", "False", "0", "no", "off", "maybe"])
def test_a_protection_switched_off_in_the_environment_stops_the_start(plain, tmp_path, variable, value):
    with pytest.raises(BadRequest, match=f"{variable}={value} switches off the protection against requests from other sites"):
        checked(plain, {variable: value}, tmp_path)
    checked(plain, {variable: "true"}, tmp_path)


def test_so_does_the_mode_for_developing_streamlit_which_opens_every_origin(plain, tmp_path):
    with pytest.raises(BadRequest, match="STREAMLIT_GLOBAL_DEVELOPMENT_MODE=true"):
        checked(plain, {"STREAMLIT_GLOBAL_DEVELOPMENT_MODE": "true"}, tmp_path)


@pytest.mark.parametrize(("text", "named"), [
    ("[server]\nenableCORS = false", "server.enableCORS = false"), ("[server]\nenableXsrfProtection = false", "server.enableXsrfProtection = false"),
    ("[server]\nenableCORS = 'env:ANY'", "server.enableCORS = env:any"), ("[global]\ndevelopmentMode = true", "global.developmentMode = true"),
])  # fmt: skip
def test_so_does_a_file_of_streamlits_own(plain, tmp_path, text, named):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(text)
    with pytest.raises(BadRequest, match=f"{named} in .*config.toml switches off"):
        checked(plain, {}, tmp_path)


def test_what_ships_switches_nothing_off_and_the_command_line_has_the_last_word(plain):
    assert protections_off({}, (ROOT / ".streamlit", ROOT / "app" / ".streamlit")) == ""
    words = app_command(plain)
    assert words[-len(flags()):] == flags() and "--server.enableXsrfProtection" in words


def test_names_may_be_a_list(tmp_path):
    (tmp_path / "config.toml").write_text('[app]\nhosts = ["desk.example.com", "other.example"]\nbehind = "reverse proxy"\n')
    app = load(tmp_path / "config.toml", {}).app
    assert {"desk.example.com", "other.example"} < app.names and app.behind == "reverse proxy"


def test_a_reason_that_is_none_is_refused(tmp_path):
    with pytest.raises(BadRequest, match=r"\[app\] no behind named 'nothing'|behind"):
        load(ROOT / "config.toml", {"TIDEMARK_APP_BEHIND": "nothing"})
