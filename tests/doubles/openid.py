"""An OpenID provider on this machine: discovery, authorization code with PKCE, keys, id tokens. ``wrong`` spoils one thing of the token."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "tidemark", "secret-of-the-client"
ACCOUNT = dict(sub="7", email="Ana@example.com", email_verified=True)
WRONG = {
    "nonce": dict(nonce="another"), "audience": dict(aud="somebody else"), "issuer": dict(iss="https://evil.example"), "expired": dict(exp=1_000_000_000), "no subject": dict(sub=None),
}  # fmt: skip


class OpenId:
    """``account``: who is signed in at the provider; ``wrong``: what its tokens have wrong, or ``key``, or ``away``."""

    def __init__(self) -> None:
        self.key, self.foreign = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})
        self.account, self.wrong, self.issuer = dict(ACCOUNT), "", ""
        self.codes: dict[str, dict[str, str]] = {}

    def document(self) -> dict[str, Any]:
        return dict(
            issuer=self.issuer, authorization_endpoint=f"{self.issuer}/authorize", token_endpoint=f"{self.issuer}/token", jwks_uri=f"{self.issuer}/keys",
            id_token_signing_alg_values_supported=["RS256"], code_challenge_methods_supported=["S256"], response_types_supported=["code"], subject_types_supported=["public"],
        )  # fmt: skip

    def authorize(self, request: dict[str, str]) -> str:
        """Where the browser goes next."""
        assert request["client_id"] == CLIENT and request["response_type"] == "code" and request["code_challenge_method"] == "S256" and "openid" in request["scope"]
        code = secrets.token_urlsafe(8)
        self.codes[code] = request
        return f"{request['redirect_uri']}?{urlencode(dict(code=code, state=request['state']))}"

    def token(self, request: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        began = self.codes.pop(request.get("code", ""), None)     # each code once
        proof = base64.urlsafe_b64encode(hashlib.sha256(request.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if began is None or began["code_challenge"] != proof or began["redirect_uri"] != request.get("redirect_uri") or client != f"{CLIENT}:{SECRET}":
            return 400, dict(error="invalid_grant")
        claims = dict(iss=self.issuer, aud=CLIENT, iat=int(time.time()), exp=int(time.time()) + 60, nonce=began["nonce"], **self.account) | WRONG.get(self.wrong, {})
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.foreign if self.wrong == "key" else self.key)
        return 200, dict(access_token="a", token_type="Bearer", id_token=token)


@contextmanager
def serving() -> Iterator[OpenId]:
    provider = OpenId()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("location", provider.authorize({name: values[0] for name, values in parse_qs(parts.query).items()}))
                self.end_headers()
            elif parts.path == "/keys":
                self.reply(200, dict(keys=[provider.key.as_dict(private=False)]))
            else:
                self.reply(503, {}) if provider.wrong == "away" else self.reply(200, provider.document())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.reply(*provider.token({name: values[0] for name, values in parse_qs(body).items()}, self.headers.get("authorization", "")))

        def reply(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
