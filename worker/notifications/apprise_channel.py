"""Sends a letter by apprise. Nothing of the address reaches a log or an error: apprise's own lines quote it, so they are off."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

from domain.errors import BadRequest
from worker.notifications.channels import VARIABLE, Channel
from worker.notifications.wording import Letter

Send = Callable[[Letter], bool]
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}     # severity -> apprise's word


def connect(channel: Channel) -> Send:
    """What sends to the channel, and says whether it took the letter; refused where apprise does not know such an address."""
    _silence()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)     # of modules that apprise still imports
        import apprise

        asset = apprise.AppriseAsset(app_id="Tidemark", async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY)
        address = apprise.Apprise.instantiate(channel.url, asset=asset, suppress_exceptions=True)
    if address is None:
        raise BadRequest(f"the channel {channel.name} of {VARIABLE} is no address that apprise can use; see https://appriseit.com for how each service writes its own")

    def send(letter: Letter) -> bool:
        return bool(address.notify(body=letter.body, title=letter.title, notify_type=KINDS[letter.severity]))

    return send


def _silence() -> None:
    for name in ("apprise", "urllib3", "requests"):
        log = logging.getLogger(name)
        log.handlers, log.propagate, log.disabled = [logging.NullHandler()], False, True
        log.setLevel(logging.CRITICAL + 1)
