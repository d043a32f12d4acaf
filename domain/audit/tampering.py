"""The nine kinds of tampering with a trail, and which of three defences catches each. ``tests/domain/audit/test_tampering.py`` does each of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tampering:
    """One way to falsify history by someone who can write the database file itself, past every trigger.

    ``how``: what is done. ``looks``: what a verification then says. ``chain``: caught by the hash chain of the rows alone.
    ``tree``: caught by the tree stored beside them, as long as that is not falsified too. ``checkpoint``: caught by a
    checkpoint that left the system before, for the rows up to its size.
    """

    key: str
    title: str
    how: str
    looks: str
    chain: bool
    tree: bool
    checkpoint: bool = True


KINDS: tuple[Tampering, ...] = (
    Tampering("edit", "Edit a row", "The text of an event is changed in place.", "The row no longer hashes to what was recorded for it.", True, False),
    Tampering("edit_and_hash", "Edit a row and its hash", "The text and the row's own hash are changed.", "The row after it names another row before it.", True, True),
    Tampering("delete", "Delete a row", "One event is taken out of the middle.", "A number is missing from the sequence.", True, True),
    Tampering("swap", "Swap two rows", "Two events change places in the order.", "A row names another row before it.", True, True),
    Tampering("cut", "Cut the tail", "The last events are removed.", "The trail ends before its tree and the checkpoint.", False, True),
    Tampering("rewrite", "Rewrite the whole chain", "A row is changed, all hashes after it redone.", "The chain holds; the checkpoint has another root.", False, True),
    Tampering("backdate", "Back-date an event", "A row gets an earlier time, hashes redone.", "The chain holds; the checkpoint has another root.", False, True),
    Tampering("replace", "Replace the tail", "The last events are replaced by others.", "The length is right; the checkpoint has another root.", False, True),
    Tampering("empty", "Empty the trail", "Every event is removed.", "There are no rows; the checkpoint names some.", False, True),
)  # fmt: skip

HONEST = (
    "The tail since the last checkpoint that left the system (at most 60 s or 1,000 events) is not covered by it.",
    "Whoever holds the signing key can sign another history. A witness on another machine, which cosigns only what grows from what it saw, is what catches that.",
    "Whoever writes the database file itself passes every trigger. The checkpoint catches that, a trigger does not.",
    "Verification shows that nothing recorded was changed. Whether everything that happened was recorded is shown by reconciliation with the broker's own ledger.",
)
