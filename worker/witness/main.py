"""``tidemark audit witness``: starts the server, or lets a person accept a checkpoint that does not follow."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from domain.audit.key_chain import KeyChain
from domain.audit.keys import VerifierKey
from domain.errors import BadRequest
from worker.witness.decision import Witness
from worker.witness.memory import Memory
from worker.witness.server import Server


def serve(listen: str, home: Path, name: str, keys: Sequence[str]) -> None:
    """Answer until SIGINT or SIGTERM."""
    memory = Memory(home)
    witness = Witness(memory, memory.key(name or f"tidemark-witness/{secrets.token_hex(4)}"), [_chain(key).current for key in keys])
    host, port = host_and_port(listen)
    with Server(host, port, witness) as server:
        server.stop_at_signals()
        print(f"Witness {witness.key.name} is at {server.url}, its folder {home.resolve()}.", flush=True)
        print(f"Its verifier key: {witness.key.verifier.text}", flush=True)
        trails = ", ".join(witness.trusted) if witness.trusted else "every trail, by the key that it shows first"
        print(f"It witnesses {trails}. Ctrl-C stops it.", flush=True)
        server.serve_forever(poll_interval=0.1)


def accepted(home: Path, path: Path, keys: Sequence[str]) -> dict[str, object]:
    """A person accepts the checkpoint in ``path``; what was seen before it and what counts now."""
    if len(keys) > 1:
        raise BadRequest("--accept takes at most one --key, that of the trail from now on")
    memory = Memory(home)
    before, after = Witness(memory, memory.key("tidemark-witness")).accept(_text(path), _chain(keys[0]) if keys else None)
    return dict(trail=after.origin, size_before=before.size, root_before=before.root, size=after.size, root=after.root)


def host_and_port(listen: str) -> tuple[str, int]:
    """
    >>> host_and_port("0.0.0.0:8601"), host_and_port("[::1]:0")
    (('0.0.0.0', 8601), ('::1', 0))
    """
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535 or (":" in host and not listen.startswith("[")):
        raise BadRequest(f"--listen is {listen!r}; write HOST:PORT, such as 127.0.0.1:8601 or [::1]:8601")
    return host, int(port)


def _chain(text: str) -> KeyChain:
    """The key in a file, or the key itself."""
    if Path(text).is_file():
        return KeyChain.parse(_text(Path(text)))
    try:
        return KeyChain(VerifierKey.parse(text))
    except BadRequest as error:
        raise BadRequest(f"--key is {text!r}, which is no file and no key: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from None
