"""The addresses at which people sign in: a form, and the way to an OpenID provider and back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.cookies import DEVICE, FORM, KNOWN, SESSION, given, put
from app.oidc import Provider, ProviderAway
from app.sign_in_page import local_path, onward, page
from worker.desk import Caller, Desk, NotSignedIn, SignedIn, SourceAway, signing_in, valid_sessions

PATHS = ("/sign-in", "/sign-in/oidc", "/sign-in/oidc/callback")
MOST, WAITING = 8_000, 16           # bytes of a form; attempts that may wait for each other
MINUTES = 30                        # that a form, and the way to a provider, may take
OLD = "This form was too old, or came from elsewhere. Try again."
BUSY = "Many people are signing in at this moment. Try again."
AWAY = "You were not signed in: {}"
STILL = {"cache-control": "no-store"}


class Entrance:
    """``desk``: gives the desk of this process."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk, self._waiting = desk, 0
        self._people = desk().settings.people
        self._provider = Provider(self._people, desk().settings.oidc_secret) if self._people.oidc else None

    def app(self) -> ASGIApp:
        routes = [Route("/sign-in", self.form, methods=["GET"]), Route("/sign-in", self.enter, methods=["POST"])]
        if self._provider:
            routes += [Route("/sign-in/oidc", self.leave, methods=["GET"]), Route("/sign-in/oidc/callback", self.back, methods=["GET"])]
        key = hashlib.sha256(b"tidemark/state\0" + (self._desk().settings.oidc_secret.encode() or secrets.token_bytes(32))).hexdigest()
        state = Middleware(SessionMiddleware, secret_key=key, session_cookie="tidemark_state", max_age=MINUTES * 60, path="/sign-in", same_site="lax")
        return Starlette(routes=routes, middleware=[state])

    async def form(self, request: Request) -> Response:
        """The form; whoever is signed in goes on."""
        wanted, secret = local_path(request.query_params.get("next", "/")), given(request, SESSION)
        valid: set[str] = await run_in_threadpool(valid_sessions, self._desk, {secret}) if secret else set()
        if valid:
            return RedirectResponse(wanted, 303, STILL)
        return self._form(request, wanted)

    async def enter(self, request: Request) -> Response:
        """What the form sends."""
        fields = await _fields(request)
        wanted, token = local_path(fields.get("next", "/")), given(request, FORM)
        if not self._people.local or not token or not hmac.compare_digest(token.encode(), fields.get("form", "").encode()):
            return self._form(request, wanted, OLD, 400)
        if self._waiting >= WAITING:
            return self._form(request, wanted, BUSY, 503)
        self._waiting += 1
        try:
            name, password, code = (fields.get(field, "") for field in ("name", "password", "code"))
            signed = await run_in_threadpool(signing_in, self._desk, lambda desk: desk.sign_in.by_password(name, password, code, _caller(request)))
        except NotSignedIn as refusal:
            status, headers = (429, {"retry-after": str(refusal.seconds)}) if refusal.seconds else (403, {})
            return self._form(request, wanted, str(refusal), status, name, headers)
        except SourceAway as away:
            return self._form(request, wanted, AWAY.format(away), 503)
        finally:
            self._waiting -= 1
        return _signed_in(request, signed, RedirectResponse(wanted, 303, STILL))

    async def leave(self, request: Request) -> Response:
        """To the provider."""
        try:
            assert self._provider
            return await self._provider.leave(request, str(request.url_for("back")))
        except ProviderAway as away:
            return self._form(request, "/", AWAY.format(away), 503)

    async def back(self, request: Request) -> Response:
        """From the provider, with a code that is redeemed there."""
        try:
            assert self._provider
            identity = await self._provider.identity(request)
            signed = await run_in_threadpool(signing_in, self._desk, lambda desk: desk.sign_in.by_identity(identity, _caller(request)))
        except NotSignedIn as refusal:
            return self._form(request, "/", str(refusal), 403)
        except (ProviderAway, SourceAway) as away:
            return self._form(request, "/", AWAY.format(away), 503)
        return _signed_in(request, signed, HTMLResponse(onward("/"), headers=STILL))

    def _form(self, request: Request, wanted: str, wrong: str = "", status: int = 200, name: str = "", headers: dict[str, str] | None = None) -> Response:
        token = given(request, FORM) or secrets.token_urlsafe(24)
        answer = HTMLResponse(page(token, wanted, self._people.local, self._provider.name if self._provider else "", wrong, name[:64]), status, {**STILL, **(headers or {})})
        put(answer, request, FORM, token, MINUTES * 60)
        return answer


def _signed_in(request: Request, signed: SignedIn, answer: Response) -> Response:
    put(answer, request, SESSION, signed.secret, signed.seconds)
    put(answer, request, DEVICE, signed.device, KNOWN)
    put(answer, request, FORM, "", 0)
    return answer


def _caller(request: Request) -> Caller:
    return Caller(request.client.host if request.client else "", request.headers.get("user-agent", ""), given(request, DEVICE), given(request, SESSION))


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form, each once; none where it is too large or no form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST:
            return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return {}
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20).items()}
    except ValueError:
        return {}
