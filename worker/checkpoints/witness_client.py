"""Sends a checkpoint to one witness, and says what became of it. Bounded in time and size; no redirect is followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from domain.audit.keys import COSIGNATURE, VerifierKey
from domain.audit.note import parse
from domain.errors import BadRequest
from worker.witness.protocol import ADD, KEY, KEYS, LARGEST, Addition

TIMEOUT = 5.0           # seconds for each step of a request
LONGEST = 15.0          # seconds for an answer as a whole
LONGEST_URL = 150
COSIGNED, REFUSED, AWAY = "cosigned", "refused", "away"


@dataclass(frozen=True)
class Address:
    """A witness as the settings name it: ``url`` and, where they have it, its verifier key.

    >>> Address.parse("http://10.0.0.7:8601/").url
    'http://10.0.0.7:8601'
    """

    url: str
    key: VerifierKey | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        url, _, key = text.strip().partition(" ")
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username) and (parts.port or 1) > 0
        except ValueError:
            valid = False
        if not valid or len(url) > LONGEST_URL:
            raise BadRequest(f"[audit] witnesses has {url!r}; write addresses such as http://10.0.0.7:8601, each with its verifier key after a space where you have it")
        verifier = VerifierKey.parse(key) if key.strip() else None
        if verifier and verifier.type != COSIGNATURE:
            raise BadRequest(f"[audit] witnesses has a key of {verifier.name!r} that is not a witness's; copy the one that the witness prints at its start")
        return cls(url.rstrip("/"), verifier)


def addresses_of(text: str) -> list[Address]:
    """The witnesses of ``[audit] witnesses``, each once.

    >>> [address.url for address in addresses_of("http://a, https://b:1, http://a/")]
    ['http://a', 'https://b:1']
    """
    addresses = [Address.parse(part) for part in text.split(",") if part.strip()]
    return list({address.url: address for address in addresses}.values())


@dataclass(frozen=True)
class Outcome:
    """``state``: cosigned, refused or away. ``text``: the signature lines, or a sentence. ``size``: what the witness saw last, where it says so."""

    state: str
    text: str
    size: int | None = None
    key: VerifierKey | None = None


class WitnessClient:
    """``key``: what its cosignatures must be by; None: the key that it shows now."""

    def __init__(self, address: Address, key: VerifierKey | None = None) -> None:
        self.url, self.key = address.url, address.key or key
        self._size = 0          # what it saw last, as far as we know

    def send(self, note: str, size: int, proof: Callable[[int], Sequence[bytes]], keys: str) -> Outcome:
        """Have ``note``, a checkpoint of ``size`` events, cosigned. ``proof(old)``: that the trail grew into it from ``old`` events."""
        try:
            return self._sent(note, size, proof, keys)
        except (OSError, HTTPException, ValueError, BadRequest) as error:
            return Outcome(AWAY, f"The witness {self.url} does not answer: {_reason(error)}.")

    def _sent(self, note: str, size: int, proof: Callable[[int], Sequence[bytes]], keys: str) -> Outcome:
        key = self.key or self._shown_key()
        introduced = False
        for _ in range(4):
            old = min(self._size, size)
            status, body = self._request("POST", ADD, Addition(old, tuple(proof(old)), note).render())
            if status in (403, 404) and not introduced:
                introduced = True
                status, body = self._request("POST", KEYS, keys)
                if status != 200:
                    return Outcome(REFUSED, f"The witness {self.url} does not take the key of this trail: {_line(body)}.")
            elif status == 409 and body.strip().isascii() and body.strip().isdigit() and int(body) != old:
                self._size = int(body)
                if self._size > size:
                    return Outcome(REFUSED, f"The witness {self.url} has seen {self._size:,} events of this trail, which has {size:,}.", self._size)
            elif status == 200:
                return self._checked(note, size, body, key)
            else:
                break
        if status in (403, 404, 409, 422):
            return Outcome(REFUSED, f"The witness {self.url} refuses this checkpoint ({status}): {_line(body)}.", self._size)
        return Outcome(AWAY, f"The witness {self.url} answers {status}: {_line(body)}.")

    def _checked(self, note: str, size: int, lines: str, key: VerifierKey) -> Outcome:
        """The cosignature, if it is by the key that it must be by."""
        try:
            signatures = parse(f"{parse(note).text}\n{lines}")
            signers = signatures.signers([key])
        except BadRequest as error:
            return Outcome(REFUSED, f"The witness {self.url} answers with a cosignature that is not valid: {error}.")
        if not signers:
            return Outcome(REFUSED, f"The witness {self.url} cosigns with another key than {key.text}. If it was set up anew, name its new key in [audit] witnesses.")
        self._size, self.key = size, key
        return Outcome(COSIGNED, "".join(signature.line for signature in signatures.signatures if signature.is_of(key)), size, key)

    def _shown_key(self) -> VerifierKey:
        status, body = self._request("GET", KEY)
        if status != 200:
            raise ValueError(f"it answers {status} where its key should be")
        key = VerifierKey.parse(body)
        if key.type != COSIGNATURE:
            raise ValueError("it shows a key that is not a witness's")
        return key

    def _request(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request(method, parts.path + path, body.encode() or None, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            content, until = b"", time.monotonic() + LONGEST
            while chunk := answer.read1(8_192):
                content += chunk
                if len(content) > LARGEST or time.monotonic() > until:
                    raise ValueError("its answer is too long")
            return answer.status, content.decode(errors="replace")
        finally:
            connection.close()


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _line(body: str) -> str:
    """The first line of an answer, short and printable."""
    return "".join(letter for letter in body.strip().partition("\n")[0][:200] if letter.isprintable()).rstrip(".")
