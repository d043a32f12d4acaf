"""Checks before the app listens: the address is safe, and cross-site protection is on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from worker.settings import ROOT, App, People, Settings

OPTIONS = {"server.enableCORS": True, "server.enableXsrfProtection": True, "global.developmentMode": False}
VARIABLES = {
    "server.enableCORS": "STREAMLIT_SERVER_ENABLE_CORS",
    "server.enableXsrfProtection": "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION",
    "global.developmentMode": "STREAMLIT_GLOBAL_DEVELOPMENT_MODE",
}
TRUE = ("1", "true", "t", "yes", "y", "on")
SAFE = {
    "reverse proxy": "behind a reverse proxy that signs people in",
    "loopback only": "its port published on this machine only",
}


def checked(settings: Settings, environment: Mapping[str, str], home: Path) -> None:
    """Refuse to start where others could control the app. ``home``: the user's folder, which may hold settings of Streamlit."""
    app, people = settings.app, settings.people
    if not app.loopback and not app.behind and not people.required:
        raise BadRequest(
            f"{app.host} lets other machines in, and nobody signs in. Let people sign in: [people] sign_in, or TIDEMARK_PEOPLE_SIGN_IN=local. Or listen on 127.0.0.1, or state why it is safe: "
            'TIDEMARK_APP_BEHIND="reverse proxy" where one signs people in, or "loopback only" where the port is published on this machine only'
        )
    if people.oidc and not (people.oidc_issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")) and people.oidc_client and settings.oidc_secret):
        raise BadRequest("signing in at an OpenID provider needs [people] oidc_issuer, which begins with https://, [people] oidc_client, and the secret of that client in the environment, TIDEMARK_OIDC_SECRET")
    if switched := protections_off(environment, (home / ".streamlit", ROOT / ".streamlit", ROOT / "app" / ".streamlit")):
        raise BadRequest(f"{switched} switches off the protection against requests from other sites. Remove it, and start again")


def protections_off(environment: Mapping[str, str], folders: tuple[Path, ...]) -> str:
    """What switches off a protection of Streamlit, in the environment or in a config.toml of its own; empty if nothing does.

    >>> protections_off({"STREAMLIT_SERVER_ENABLE_CORS": "no"}, ())
    'STREAMLIT_SERVER_ENABLE_CORS=no'
    """
    for option, variable in VARIABLES.items():
        value = environment.get(variable, "")
        if value and (value.lower() in TRUE) != OPTIONS[option]:
            return f"{variable}={value}"
    for folder in folders:
        for option, wanted in OPTIONS.items():
            section, key = option.split(".")
            value = _document(folder / "config.toml").get(section, {}).get(key, wanted)
            if value is not wanted:
                return f"{option} = {str(value).lower()} in {folder / 'config.toml'}"
    return ""


def flags() -> list[str]:
    """The command line's word is the last: what the two above do not see is overruled.

    >>> flags()[:2]
    ['--server.enableCORS', 'true']
    """
    return [word for option, value in OPTIONS.items() for word in (f"--{option}", str(value).lower())]


def administered(settings: Settings) -> None:
    """Refuse to start where people sign in and nobody could let them in."""
    from worker.store import Store

    store = Store(settings.database_url, settings.frames_url)
    with store.read() as unit:
        admins = [user for user in unit.users.all() if user.role == "admin" and user.disabled_at is None and (user.password if not settings.people.oidc else user.password or user.email or user.subject)]
    store.close()
    if not admins:
        way = "--email ADDRESS of the account at the provider" if settings.people.sign_in == "oidc" else "it asks for a password"
        raise BadRequest(f"people sign in, and there is no administrator yet. Make one: tidemark users add NAME --role admin ({way})")


def sentence(app: App, people: People) -> str:
    """For whom the page is, as Settings shows it.

    >>> sentence(App(host="0.0.0.0", behind="loopback only"), People())
    'Listening on 0.0.0.0 without sign-in, stated to be safe: its port published on this machine only.'
    >>> sentence(App(), People(sign_in="local"))
    'Listening on 127.0.0.1, for this machine only; people sign in with a password.'
    """
    if people.required:
        how = {"local": "with a password", "oidc": "at the OpenID provider"}.get(people.sign_in, "with a password or at the OpenID provider")
        if app.loopback:
            return f"Listening on {app.host}, for this machine only; people sign in {how}."
        return f"Listening on {app.host}; people sign in {how}. Passwords and cookies are safe on the way only where a proxy encrypts the connection."
    if app.loopback:
        return f"Listening on {app.host}, for this machine only."
    return f"Listening on {app.host} without sign-in, stated to be safe: {SAFE.get(app.behind, 'no reason given')}."


def record(settings: Settings) -> None:
    """Record a start that accepts other machines in the audit trail, with the reason given."""
    from worker.opened import open_store

    app, store = settings.app, open_store(settings)
    with store.unit() as unit:
        unit.audit(settings.user, "listening_beyond_this_machine", "settings:app", host=app.host, port=app.port, hosts=app.hosts, behind=app.behind, sign_in=settings.people.sign_in)
    store.close()


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in document.items() if isinstance(value, dict)}
