"""The texts that a witness and a trail exchange: https://c2sp.org/tlog-witness, and the keys of a trail beside it.

``POST /add-checkpoint``: ``old N``, the hashes of the consistency proof from N in base64, a blank line, the signed checkpoint.
Answers: 200 with cosignature lines; 400 malformed; 403 no signature of a trusted key; 404 unknown origin; 409 with the size that
the witness saw last, where N is another; 422 where the checkpoint does not follow from what it saw.
``POST /add-keys``: the key chain of a trail. ``GET /key``: the witness's verifier key. ``GET /latest/ORIGIN``: what it saw last.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.audit.keys import decoded
from domain.errors import BadRequest

ADD, KEYS, KEY, LATEST = "/add-checkpoint", "/add-keys", "/key", "/latest/"
SIZE_TYPE = "text/x.tlog.size"
LARGEST = 65_536            # bytes of a body
MOST_HASHES = 63
OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True)
class Addition:
    """A checkpoint (signed note) with the proof that the trail grew into it from ``old`` events.

    >>> addition = Addition(3, (bytes(32),), "log\\n5\\n...\\n\\n— log AA==\\n")
    >>> Addition.parse(addition.render()) == addition
    True
    """

    old: int
    proof: tuple[bytes, ...]
    note: str

    def render(self) -> str:
        return f"old {self.old}\n{''.join(f'{base64.b64encode(hash_).decode()}{chr(10)}' for hash_ in self.proof)}\n{self.note}"

    @classmethod
    def parse(cls, body: str) -> Addition:
        head, blank, note = body.partition("\n\n")
        first, *hashes = head.split("\n")
        old = OLD.fullmatch(first)
        if not blank or not old:
            raise BadRequest("the body is 'old N', the lines of the proof, a blank line and the checkpoint")
        return cls(int(old[1]), _hashes(hashes), note)


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    proof = tuple(decoded(line) or b"" for line in lines)
    if len(proof) > MOST_HASHES or any(len(hash_) != 32 for hash_ in proof):
        raise BadRequest(f"a proof is at most {MOST_HASHES} hashes of 32 bytes in base64, a line each")
    return proof
