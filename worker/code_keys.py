"""Keys of one-time codes as the database holds them: sealed by a key that lies beside it, in a private file of the workspace."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from domain.errors import BadRequest
from worker.checkpoints import durable
from worker.store import Store, Unit

FILE = "codes.key"
OTHERS = 0o077
NONCE, BYTES = 12, 32
PLAIN = 32              # letters of a key of an earlier release, which was not sealed; a sealed one has 64
ADVICE = "Put {} back from a copy, or switch the codes off: tidemark users totp NAME --off"


class CodeKeyLost(BadRequest):
    """The key file is not here, or is another one than the codes were sealed with."""


class CodeKeys:
    """AES-256-GCM; the user's name is part of what is sealed, so that no row can stand in for another's."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def seal(self, unit: Unit, user_id: str, key: str) -> str:
        """A key as it is stored. The file is made with the first of them; refused where there are others that it would not open."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self.path.exists():
            self._create(unit)
        nonce = os.urandom(NONCE)
        sealed = AESGCM(self._read()).encrypt(nonce, base64.b32decode(key), user_id.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, user_id: str, stored: str) -> str:
        """The key as the apps know it; "" where there is none."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(stored) <= PLAIN:
            return stored
        content = base64.urlsafe_b64decode(stored)
        try:
            return base64.b32encode(AESGCM(self._read()).decrypt(content[:NONCE], content[NONCE:], user_id.encode())).decode()
        except InvalidTag:
            raise CodeKeyLost(f"the one-time codes of {user_id} were set up under another {FILE}. {ADVICE.format('it')}") from None

    def seal_stored(self, store: Store) -> int:
        """Seal what an earlier release stored as it is; how many there were."""
        with store.read() as unit:
            plain = [user.id for user in unit.users.all() if any(0 < len(key) <= PLAIN for key in (user.totp, user.totp_offered))]
        if plain:
            with store.unit() as unit:
                for user in filter(None, map(unit.users.get, plain)):
                    keys = dict(totp=user.totp, totp_offered=user.totp_offered)
                    unit.users.change(user.id, **{name: self.seal(unit, user.id, key) for name, key in keys.items() if 0 < len(key) <= PLAIN})
        return len(plain)

    # -- parts

    def _create(self, unit: Unit) -> None:
        if sealed := sealed_of(unit):
            raise CodeKeyLost(f"{self.path} is not there, and the codes of {', '.join(sealed[:5])} need it. {ADVICE.format('it')}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            durable.create(self.path, base64.b64encode(os.urandom(BYTES)).decode() + "\n")
        except FileExistsError:     # another process was first
            return

    def _read(self) -> bytes:
        try:
            if os.name != "nt" and self.path.stat().st_mode & OTHERS:
                raise BadRequest(f"others may read {self.path}: close it with chmod 600")
            key = base64.b64decode(self.path.read_bytes(), validate=False)
        except FileNotFoundError:
            raise CodeKeyLost(f"{self.path} is not there, so one-time codes cannot be checked. {ADVICE.format('it')}") from None
        except ValueError:
            key = b""
        if len(key) != BYTES:
            raise CodeKeyLost(f"{self.path} is damaged. {ADVICE.format('it')}")
        return key


def sealed_of(unit: Unit) -> list[str]:
    """The users whose codes need the key file."""
    return [user.id for user in unit.users.all() if len(user.totp) > PLAIN]


def needed_by(unit: Unit, home: Path) -> str:
    """What signing in needs and no backup holds, as a sentence; empty where it is there, or nobody has codes."""
    sealed = sealed_of(unit)
    if not sealed or (home / FILE).exists():
        return ""
    return f"{FILE}, without which {', '.join(sealed[:5])}{' and others' if len(sealed) > 5 else ''} cannot sign in. {ADVICE.format('it')}"
