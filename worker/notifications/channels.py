"""The channels of ``TIDEMARK_NOTIFY_URLS``: each with the least severity it takes, and a name that gives nothing away."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from domain.errors import BadRequest
from worker.severities import SEVERITIES

VARIABLE = "TIDEMARK_NOTIFY_URLS"
URL = r"[A-Za-z][A-Za-z0-9+.-]*://"
BETWEEN = re.compile(rf"[\s,;]+(?=(?:[a-z]+:)?{URL})")
EACH = re.compile(rf"(?:([a-z]+):)?({URL}\S+)")
SHORTEST = 6        # letters of a part of a path or an option that counts as a secret


@dataclass(frozen=True)
class Channel:
    """``name``: the kind of address and a few digits that tell it from others; ``minimum``: less severe messages are not for it."""

    name: str
    minimum: str
    url: str = field(repr=False)

    @property
    def severities(self) -> tuple[str, ...]:
        return SEVERITIES[SEVERITIES.index(self.minimum) :]


def channels_of(text: str) -> tuple[Channel, ...]:
    """Channels, separated by spaces, line ends, commas or semicolons: ``[severity:]URL``, without a severity all messages.

    >>> [(channel.name, channel.minimum) for channel in channels_of("json://127.0.0.1:9/a, warning:json://127.0.0.1:9/b")]
    [('json-4c842ca7', 'info'), ('json-3d147484', 'warning')]
    >>> channels_of("loud:json://secret")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: channel 1 of TIDEMARK_NOTIFY_URLS has a word before its address that is no severity; write info:, warning: or critical: before its address, or nothing
    """
    parts = [part for part in BETWEEN.split(text.strip()) if part]
    return tuple({(channel := _channel(place, part)).url: channel for place, part in enumerate(parts, 1)}.values())


def _channel(place: int, part: str) -> Channel:
    match = EACH.fullmatch(part)
    if match is None:
        raise BadRequest(f"channel {place} of {VARIABLE} is no address; write it as apprise has it, such as json://host/path, several with a space between")
    minimum = match[1] or SEVERITIES[0]
    if minimum not in SEVERITIES:
        raise BadRequest(f"channel {place} of {VARIABLE} has a word before its address that is no severity; write info:, warning: or critical: before its address, or nothing")
    return Channel(f"{match[2].split(':')[0].lower()}-{hashlib.sha256(match[2].encode()).hexdigest()[:8]}", minimum, match[2])


def secrets_in(text: str) -> set[str]:
    """All that must not be shown of the addresses in ``text``: each whole, users, passwords and tokens, as written and as meant.

    >>> sorted(secrets_in("tgram://123456:abcdefgh/chat-777"))
    ['123456', '123456:abcdefgh', 'abcdefgh', 'chat-777', 'tgram://123456:abcdefgh/chat-777']
    >>> sorted(secrets_in("json://ana:s3c@127.0.0.1:80/hook?to=abcdef"))
    ['abcdef', 'ana:s3c', 'json://ana:s3c@127.0.0.1:80/hook?to=abcdef', 's3c']
    """
    secrets: set[str] = set()
    for part in re.findall(rf"{URL}\S+", text):
        url = part.rstrip(",;")
        secrets |= {url, *_user_of(url), *(piece for piece in _pieces(url) if len(piece) >= SHORTEST)}
    return {form for secret in secrets for form in (secret, unquote(secret)) if len(form) >= 3}


def _user_of(url: str) -> Iterable[str]:
    """User with password, and the password."""
    user, at, _ = url.split("://", 1)[1].split("/")[0].rpartition("@")
    return (user, user.partition(":")[2]) if at else ()


def _pieces(url: str) -> Iterable[str]:
    """User, host where it may be a token, parts of the path, values of options."""
    rest = url.split("://", 1)[1]
    place, _, after = rest.partition("/")
    place, _, options = (place.partition("?") if not after else (place, "", ""))
    user, _, host = place.rpartition("@")
    yield user.partition(":")[0]
    if not re.fullmatch(r"(localhost|[0-9.]+|\[[0-9a-fA-F:]+\])(:\d+)?", host):
        yield from (host, *host.split(":"))
    path, _, query = after.partition("?")
    yield from path.split("/")
    for pair in (options or query).split("&"):
        yield pair.partition("=")[2]
    yield from (urlsplit(url).fragment if "#" in url else "",)
