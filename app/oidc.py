"""An OpenID provider: discovery, the authorization code with PKCE, and the id token, whose signature, issuer, audience, nonce and age are checked.

By the library that ``st.login`` uses too. That itself is not used: its cookie lasts thirty days and cannot be revoked, and its secrets stand in a file.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from worker.desk import Identity, People

WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderAway(Exception):
    """The provider did not answer, or its answer is not to be believed. The text says what to do."""


class Provider:
    """``secret``: of this client."""

    def __init__(self, people: People, secret: str) -> None:
        from authlib.integrations.starlette_client import OAuth

        self._issuer, self._client_id = people.oidc_issuer.rstrip("/"), people.oidc_client
        oauth = OAuth()
        oauth.register(
            "desk", client_id=people.oidc_client, client_secret=secret, server_metadata_url=self._issuer + WELL_KNOWN,
            client_kwargs=dict(scope="openid email", code_challenge_method="S256", timeout=10),
        )  # fmt: skip
        self._client: Any = oauth.create_client("desk")

    @property
    def name(self) -> str:
        return urlsplit(self._issuer).hostname or "OpenID"

    async def leave(self, request: Request, back: str) -> Response:
        """To the provider, which sends the browser ``back``."""
        try:
            return await self._client.authorize_redirect(request, back)
        except _failures() as error:
            raise ProviderAway(_sentence(self.name, error)) from error

    async def identity(self, request: Request) -> Identity:
        """Who the provider says the browser's user is."""
        options = {"iss": {"essential": True, "values": [self._issuer, f"{self._issuer}/"]}, "aud": {"essential": True, "values": [self._client_id]}}
        try:
            token = await self._client.authorize_access_token(request, claims_options=options)
        except _failures() as error:
            raise ProviderAway(_sentence(self.name, error)) from error
        claims = token.get("userinfo") or {}
        subject = f"{claims.get('iss', '')} {claims.get('sub', '')}"
        if not claims.get("sub") or not 3 < len(subject) <= 512:
            raise ProviderAway(f"{self.name} sent no id token that names an account.")
        return Identity(subject, str(claims.get("email", "")) if claims.get("email_verified") is True else "")


def _failures() -> tuple[type[BaseException], ...]:
    """What goes wrong between here and a provider."""
    import httpx
    from authlib.integrations.starlette_client import OAuthError
    from joserfc.errors import JoseError

    return OAuthError, JoseError, httpx.HTTPError, RuntimeError, ValueError, KeyError


def _sentence(name: str, error: BaseException) -> str:
    """Without what the provider wrote: that may be anything.

    >>> _sentence("id.example.com", ValueError("secret"))
    'id.example.com did not confirm it (ValueError). Try again, or ask an administrator.'
    """
    return f"{name} did not confirm it ({type(error).__name__}). Try again, or ask an administrator."
