#!/usr/bin/env python3
"""Verifies a bundle of Tidemark's audit trail, or the proof of one event. Python 3.8 or later, nothing else; offline.

    python verify.py FOLDER|FILE.zip|PROOF.json --key KEY.txt --checkpoint CHECKPOINT.txt

The key and the checkpoint must come from elsewhere than the bundle: whoever forges a bundle forges what lies in it.
Exit status: 0 verified; 1 altered or unreadable, with the row and the reason; 2 wrong options; 3 consistent in itself,
but authorship or completeness are not proved. Formats: docs/audit.md of the program, section "Formats".
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import datetime
import hashlib
import json
import os
import re
import struct
import sys
import zipfile
import zlib

GENESIS = hashlib.sha256(b"audit-genesis/v1").digest()
EMPTY = hashlib.sha256(b"").digest()
LARGEST = 2**53 - 1
LONGEST_BODY, LONGEST_LINE = 65536, 400000      # bytes of an event; of its line in events.csv, where quotes double
MOST_SMALL = 8 << 20                            # bytes of manifest, proofs, keys and checkpoints
MOST_LINES, MOST_ROTATIONS, MOST_TRIES = 64, 100, 50        # signatures of a note; rotations of a key; signatures to find a row by
BUNDLE, PROOFS = "tidemark-audit-bundle/v1", "tidemark-audit-proofs/v1"
ROTATION, DASH = "tidemark-key-rotation/v1", "\u2014 "
COLUMNS = "seq,ts,kind,actor,entities,detail,event_id,prev_hash,hash"
SLACK = 300             # seconds by which an event may bear an earlier time than the checkpoint before it
SELF_ONLY = "self-consistent only: authorship and completeness not proved"
UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, RuntimeError,
    NotImplementedError, zlib.error, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile,
)  # type: tuple  # fmt: skip
try:
    from lzma import LZMAError

    UNREADABLE = (*UNREADABLE, LZMAError)
except ImportError:     # a Python built without it reads no such archive either
    pass


class Refused(Exception):
    """What does not hold, as a sentence."""


# -- Canonical JSON (RFC 8785 without fractions) ---------------------------------------------------------------------


def _no_fraction(text):
    raise ValueError("a number with a fraction")


def _whole(text):
    if len(text) > 17 or abs(int(text)) > LARGEST:
        raise ValueError("a number past 2**53")
    return int(text)


DECODER = json.JSONDecoder(parse_float=_no_fraction, parse_constant=_no_fraction, parse_int=_whole)
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
BEYOND = re.compile("[\U00010000-\U0010ffff]")     # only with these may the order of code points not be that of UTF-16


def canonical(value):
    """The one canonical text of a value; keys in the order of their UTF-16 code units."""
    text = ENCODER.encode(value)
    return _in_order(value) if BEYOND.search(text) else text


def _in_order(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(ENCODER.encode(key) + ":" + _in_order(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_in_order, value)) + "]"
    return ENCODER.encode(value)


def event_in(body):
    """The event that a line of events.jsonl holds; ValueError where it is no canonical event."""
    if len(body) > LONGEST_BODY:
        raise ValueError("it is longer than an event may be")
    text = body.decode("utf-8")
    event = DECODER.decode(text)
    if not isinstance(event, dict) or canonical(event) != text:
        raise ValueError("it is not canonical JSON")
    words = [event.get(key) for key in ("event_id", "ts", "actor", "kind")]
    entities = event.get("entities")
    if not isinstance(entities, list) or not all(isinstance(word, str) for word in words + entities) or not isinstance(event.get("detail"), dict):
        raise ValueError("it lacks a part that every event has")
    return event


# -- The view for people: events.csv -----------------------------------------------------------------------------------

CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
SIGNS = r"=+\-@|%" + "\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe66\ufe62\ufe63\ufe6b\ufe6a"
BLANKS = (" \xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800\u3000\u3164"
          "\ufe00-\ufe0f\ufeff\uffa0")  # fmt: skip
FORMULA = re.compile("[" + BLANKS + "]*[" + SIGNS + "]")


def cell(text):
    """A text as one cell on one line, which no spreadsheet takes for a formula."""
    if CONTROL.search(text):
        text = CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    if FORMULA.match(text):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def view(event):
    """The columns of events.csv between seq and the hashes, as that file writes them."""
    cells = (event["ts"], event["kind"], event["actor"], " ".join(event["entities"]), canonical(event["detail"]), event["event_id"])
    return ",".join(map(cell, cells))


# -- The chain and the tree (RFC 6962, RFC 9162) -------------------------------------------------------------------------


def leaf_hash(seq, prev, body):
    """SHA256(0x00 | "audit/v1\\n" | uint64be(seq) | prev_hash | body)."""
    return hashlib.sha256(b"\x00audit/v1\n" + seq.to_bytes(8, "big") + prev + body).digest()


def parent(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The RFC 6962 tree over the leaves so far, kept as its full subtrees."""

    def __init__(self):
        self.size, self._peaks = 0, []

    def add(self, leaf):
        index = self.size
        while index & 1:
            leaf = parent(self._peaks.pop(), leaf)
            index >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self._peaks:
            return EMPTY
        digest = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            digest = parent(peak, digest)
        return digest


def included(index, size, leaf, path, root):
    """RFC 9162, section 2.1.3.2: whether ``leaf`` is number ``index`` (from 0) of the tree."""
    if not 0 <= index < size:
        return False
    position, last, digest = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            digest = parent(sibling, digest)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            digest = parent(digest, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and digest == root


def consistent(old, new, old_root, new_root, path):
    """RFC 9162, section 2.1.4.2: whether the tree of ``old`` leaves is the beginning of that of ``new``."""
    if not 0 <= old <= new:
        return False
    if old == new or old == 0:
        return not path and (old_root == new_root if old else old_root == EMPTY)
    hashes = ([old_root] if old & (old - 1) == 0 else []) + list(path)
    if not hashes:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    was = now = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            was, now = parent(sibling, was), parent(sibling, now)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            now = parent(now, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


# -- Ed25519 (RFC 8032), slow and plain ------------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def _sum(a, b):
    """Of two points in extended coordinates (X, Y, Z, T)."""
    minus, plus = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    both, twice = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = plus - minus, twice - both, twice + both, plus + minus
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(factor, point):
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total


def _point(content):
    """The point that 32 bytes encode, or None."""
    number = int.from_bytes(content, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public, signature, message):
    """Whether ``signature`` (64 bytes) is of ``message`` under ``public`` (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment, answer = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(answer, BASE), _sum(commitment, _times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# -- Keys, signed notes, checkpoints (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature) --------------------------------


def decoded(text, length=None):
    """Bytes of base64 in its one spelling, of the given length."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        content = None
    if content is None or base64.b64encode(content).decode() != text or (length is not None and len(content) != length):
        raise Refused(f"{text[:60]!r} is not base64" + (f" of {length} bytes." if length else "."))
    return content


def number(value, what):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise Refused(f"{what} is no number of rows.")
    return value


def digits(text, what):
    if not re.match(r"(0|[1-9][0-9]{0,14})\Z", text):
        raise Refused(f"{what} is {text[:40]!r}, which is no number of rows.")
    return int(text)


class Key:
    """A verifier key: name+id+base64 of its type (1 log, 4 witness) and 32 bytes."""

    def __init__(self, line):
        parts = line.split("+", 2)
        if len(parts) != 3 or not parts[0]:
            raise Refused(f"{line[:80]!r} is no key: a key is one line, name+id+base64.")
        content = decoded(parts[2], 33)
        self.line, self.name, self.type, self.public = line, parts[0], content[0], content[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + content).digest()[:4]
        if self.id.hex() != parts[1] or self.type not in (1, 4):
            raise Refused(f"The key of {self.name[:80]!r} is damaged: its id is not that of its bytes.")

    @property
    def fingerprint(self):
        return hashlib.sha256(self.line.encode()).hexdigest()


class Note:
    """A signed text with its signature lines: (name, id, signature)."""

    def __init__(self, text, signatures):
        self.text, self.signatures = text, signatures

    def signed_by(self, key):
        """False where the key signed nothing here; Refused where a line says it did and it did not."""
        lines = [value for name, id_, value in self.signatures if (name, id_) == (key.name, key.id)]
        for value in lines:
            if key.type == 1:
                valid = ed25519(key.public, value, self.text.encode())
            else:
                message = f"cosignature/v1\ntime {int.from_bytes(value[:8], 'big')}\n{self.text}"
                valid = ed25519(key.public, value[8:], message.encode())
            if not valid:
                raise Refused(f"A signature under the name of the key {key.name} is false.")
        return bool(lines)

    def time_of(self, key):
        """The second at which the witness ``key`` says that it signed."""
        return max(int.from_bytes(value[:8], "big") for name, id_, value in self.signatures if (name, id_) == (key.name, key.id))


def notes_in(content, where, torn=False):
    """The signed notes of a file, one after the other; with ``torn``, what was cut off in the middle is passed over."""
    notes, text, signatures = [], [], []  # type: list, list, list
    for line in [*text_of(content, where).split("\n"), ""]:
        if line.startswith(DASH) and (signatures or text[-1:] == [""]):
            signatures.append(line)
            continue
        if signatures:
            notes.append(_note(text, signatures, where, torn))
            text, signatures = [], []
        text.append(line)
    if any(text) and not torn:
        raise Refused(f"{where} has {next(filter(None, text))[:80]!r} where a signed note should be.")
    return [note for note in notes if note]


def _note(text, signatures, where, torn):
    """The text's last paragraph with its signatures; what stands before it is no part of a note of ours."""
    if len(signatures) > MOST_LINES:
        raise Refused(f"{where} has a note with more than {MOST_LINES} signatures.")
    while text and not text[-1]:
        text.pop()
    begin = max((at + 1 for at, line in enumerate(text) if not line), default=0)
    if any(text[:begin]) and not torn:
        raise Refused(f"{where} has {next(filter(None, text))[:80]!r} where a signed note should be.")
    try:
        return Note("".join(line + "\n" for line in text[begin:]), [_signature(line, where) for line in signatures])
    except Refused:
        if torn:
            return None
        raise


def text_of(content, where):
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Refused(f"{where} is no text in UTF-8.") from None


def _signature(line, where):
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Refused(f"{where} has {line[:80]!r} where a signature line should be.")
    content = decoded(parts[2])
    return parts[1], content[:4], content[4:]


class Checkpoint:
    """Size and root of the trail's tree, signed."""

    def __init__(self, note, where):
        lines = note.text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise Refused(f"{where} has a text that is no checkpoint: origin, size, root.")
        self.note, self.where, self.origin = note, where, lines[0]
        self.size, self.root = digits(lines[1], "The size of a checkpoint in " + where), decoded(lines[2], 32)
        stamp = re.match(r"time ([0-9]{1,11})\Z", lines[3]) if len(lines) > 3 else None
        self.seconds = int(stamp.group(1)) if stamp else None
        if (self.size == 0) != (self.root == EMPTY):
            raise Refused(f"{where} has a checkpoint whose root is not that of its size.")

    def __str__(self):
        time = "" if self.seconds is None else ", " + clock(self.seconds)
        return f"the checkpoint over {rows_(self.size)}{time} ({self.where})"


def checkpoints_in(content, where, torn=False):
    """Sizes in order, one root a size, one origin."""
    points = [Checkpoint(note, where) for note in notes_in(content, where, torn)]
    roots = {}  # type: dict
    for point in points:
        if roots.setdefault(point.size, point.root) != point.root:
            raise Refused(f"{where} has two roots for {rows_(point.size)}: the trail was forked.")
        if point.origin != points[0].origin:
            raise Refused(f"{where} has checkpoints of two trails, {points[0].origin[:80]!r} and {point.origin[:80]!r}.")
    return sorted(points, key=lambda point: point.size)


class Keys:
    """Keys that are trusted, and those that they handed on to or took over from, each up to a size."""

    def __init__(self, lines, rotations, needed=True):
        keys = [Key(line) for line in lines]
        self.witnesses = [key for key in keys if key.type == 4]
        self.log = {key.line: (key, None) for key in keys if key.type == 1}
        if not self.log and needed:
            raise Refused("There is no key of a trail in the key file: one line, name+id+base64.")
        if len(rotations) > MOST_ROTATIONS:
            raise Refused(f"There are more than {MOST_ROTATIONS} rotations of the key.")
        handed = [self._rotation(note) for note in rotations]
        for _ in handed:
            for old, new, size in handed:
                self._follow(old, new, size, handed)

    def _follow(self, old, new, size, handed):
        if any(other_old.line == old.line and other_new.line != new.line for other_old, other_new, _ in handed):
            raise Refused(f"The key {old.name} was handed on to two keys: which of them counts is not provable.")
        if old.line in self.log or new.line in self.log:
            last = min((bound for bound in (self.log.get(old.line, (old, None))[1], size) if bound is not None))
            self.log[old.line] = (old, last)
            self.log.setdefault(new.line, (new, None))

    @staticmethod
    def _rotation(note):
        lines = note.text.split("\n")
        if len(lines) != 5 or lines[0] != ROTATION:
            raise Refused("A note beside the key is no rotation of a key.")
        old, new, size = Key(lines[1]), Key(lines[2]), digits(lines[3], "The size of a rotation")
        if old.name != new.name or old.line == new.line or not note.signed_by(old) or not note.signed_by(new):
            raise Refused(f"A rotation of the key {old.name} lacks the signature of the old or of the new key.")
        return old, new, size

    def check(self, point):
        """Refused unless a trusted key signed the checkpoint, within the sizes that it may sign."""
        late = None
        for key, last in self.log.values():
            if point.note.signed_by(key):
                if last is None or point.size <= last:
                    return key
                late = last
        if late is not None:
            raise Refused(f"{upper(point)} was signed by a key that had been replaced at row {late:,}.")
        names = " or ".join(f"{key.name} ({key.id.hex()})" for key, _ in self.log.values())
        raise Refused(f"{upper(point)} is not signed by the key {names}.")

    def signs(self, point):
        try:
            return bool(self.check(point))
        except Refused:
            return False


def keys_in(content, where):
    """Keys, a line each, and after them the notes in which one key handed on to the next."""
    text, lines = text_of(content, where), []
    at = text.find(ROTATION)
    for line in (text if at < 0 else text[:at]).splitlines():
        if line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    return lines, notes_in(text[at:].encode("utf-8"), where) if at >= 0 else []


# -- Folders and archives ------------------------------------------------------------------------------------------------------


class Folder:
    def __init__(self, path):
        self._path = path

    def has(self, name):
        return os.path.isfile(os.path.join(self._path, name))

    def open(self, name):
        if not self.has(name):
            raise Refused(f"{name} is missing from the bundle.")
        return open(os.path.join(self._path, name), "rb")


class Archive:
    """A ZIP file, whose bundle may lie in one folder of it."""

    def __init__(self, path):
        self._zip = zipfile.ZipFile(path)
        names = self._zip.namelist()
        within = sorted((name for name in names if name.endswith("manifest.json")), key=len)[:1]
        self._prefix = within[0][: -len("manifest.json")] if within else ""
        if len(set(names)) != len(names):
            raise Refused("The archive holds a file twice under one name.")

    def has(self, name):
        return self._prefix + name in self._zip.namelist()

    def open(self, name):
        if not self.has(name):
            raise Refused(f"{name} is missing from the bundle.")
        return self._zip.open(self._prefix + name)


def small(source, name):
    with source.open(name) as file:
        return bounded(file, name)


def bounded(file, name):
    content = file.read(MOST_SMALL + 1)
    if len(content) > MOST_SMALL:
        raise Refused(f"{name} is larger than such a file may be.")
    return content


def lines_of(source, name, longest):
    """The lines of a file without their newlines, read bit by bit."""
    with source.open(name) as file:
        rest = b""
        while True:
            part = file.read(1 << 18)
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line
            if len(rest) > longest:
                raise Refused(f"{name} has a line longer than any line of it may be.")
            if not part:
                break
        if rest:
            yield rest


def hash_of(source, name):
    hasher = hashlib.sha256()
    with source.open(name) as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            hasher.update(part)
    return hasher.hexdigest()


def document(content, what):
    """A JSON object without fractions."""
    try:
        value = DECODER.decode(content.decode("utf-8"))
    except (ValueError, RecursionError, MemoryError):
        value = None
    if not isinstance(value, dict):
        raise Refused(f"{what} is not the JSON that it should be.")
    return value


def hashes(values, what):
    if not isinstance(values, list) or len(values) > 128:
        raise Refused(f"{what} has no list of hashes.")
    return [digest(value, what) for value in values]


def digest(value, what):
    if not isinstance(value, str) or not re.match(r"[0-9a-f]{64}\Z", value):
        raise Refused(f"{what} has {value if not isinstance(value, str) else value[:80]!r} where a hash should be.")
    return bytes.fromhex(value)


# -- Rows -----------------------------------------------------------------------------------------------------------------------


class Row:
    __slots__ = ("digest", "prev", "seq", "ts")

    def __init__(self, seq, prev, digest_, ts):
        self.seq, self.prev, self.digest, self.ts = seq, prev, digest_, ts


def rows(source, contiguous, first):
    """Each row, after its bytes, its hash, its place in the chain and its line in events.csv were checked."""
    before = None
    with contextlib.closing(lines_of(source, "events.csv", LONGEST_LINE)) as views, contextlib.closing(lines_of(source, "events.jsonl", LONGEST_LINE)) as bodies:
        if next(views, None) != COLUMNS.encode():
            raise Refused("events.csv does not begin with its titles.")
        for body in bodies:
            expected = before.seq + 1 if before else first
            line = next(views, None)
            if line is None:
                raise Refused(f"Row {expected:,} is in events.jsonl and not in events.csv.")
            before = row_of(body, line, before, expected, contiguous)
            yield before
        if next(views, None) is not None:
            raise Refused(f"Row {before.seq + 1 if before else first:,} is missing from events.jsonl: events.csv goes on.")


def row_of(body, line, before, expected, contiguous):
    seq, shown, prev, recorded = parted(line, expected)
    if contiguous and seq != expected:
        place = f"row {before.seq:,}" if before else "the beginning"
        raise Refused(f"Row {expected:,} is missing: {place} is followed by row {seq:,}.")
    if before and seq <= before.seq:
        raise Refused(f"Row {seq:,} stands after row {before.seq:,}: rows were put in another order.")
    if seq == 1 and prev != GENESIS:
        raise Refused("Row 1 does not begin the chain: it names a row before it.")
    if before and seq == before.seq + 1 and prev != before.digest:
        raise Refused(f"Row {seq:,} does not follow row {before.seq:,} as it stands here: row {before.seq:,} was altered and hashed anew, or row {seq:,} names another.")
    if leaf_hash(seq, prev, body) != recorded:
        raise Refused(f"Row {seq:,} was altered: its bytes do not hash to what was recorded for it.")
    try:
        event = event_in(body)
        same = shown == view(event).encode()
    except (ValueError, RecursionError) as error:
        why = error if type(error) is ValueError else "it is not canonical JSON"
        raise Refused(f"Row {seq:,} is no event: {why}.") from None
    if not same:
        raise Refused(f"Row {seq:,} reads otherwise in events.csv than its record in events.jsonl.")
    return Row(seq, prev, recorded, event["ts"])


LINE = re.compile(rb"([1-9][0-9]{0,14}),(.*),([0-9a-f]{64}),([0-9a-f]{64})\Z", re.DOTALL)


def parted(line, expected):
    match = LINE.match(line)
    if not match:
        raise Refused(f"Row {expected:,} cannot be read in events.csv.")
    seq, shown, prev, recorded = match.groups()
    return int(seq), shown, bytes.fromhex(prev.decode()), bytes.fromhex(recorded.decode())


class Clocks:
    """Rows that bear an earlier time than a checkpoint which they came after: back-dated, or a clock was set back."""

    def __init__(self, points):
        self.count, self.first, self._floor = 0, 0, ""
        self._points = [(point.size, stamp_of(point.seconds - SLACK)) for point in points if point.seconds is not None]

    def take(self, row):
        while self._points and self._points[0][0] < row.seq:
            self._floor = max(self._floor, self._points.pop(0)[1])
        if row.ts < self._floor:
            self.count, self.first = self.count + 1, self.first or row.seq


# -- Bundles ----------------------------------------------------------------------------------------------------------------------


class Bundle:
    """What lies in a bundle beside its rows."""

    def __init__(self, source):
        self.source = source
        self.manifest = document(small(source, "manifest.json"), "manifest.json")
        self.kind = self.manifest.get("kind")
        if self.manifest.get("format") != BUNDLE or self.kind not in ("whole", "range", "selection"):
            raise Refused(f"manifest.json is not that of a bundle which this verifier knows ({BUNDLE}).")
        self.first, self.last, self.rows = (number(self.manifest.get(key), f"{key!r} in manifest.json") for key in ("first", "last", "rows"))
        self.points = checkpoints_in(small(source, "checkpoints.txt"), "checkpoints.txt")
        self.keys, self.rotations = keys_in(small(source, "public_key.txt"), "public_key.txt")
        self.proofs = document(small(source, "proofs.json"), "proofs.json")
        if self.proofs.get("format") != PROOFS:
            raise Refused(f"proofs.json is not of the format {PROOFS}.")
        self.size, self.root = number(self.proofs.get("size"), "The size in proofs.json"), digest(self.proofs.get("root"), "proofs.json")
        self.paths, self.clocks = self._inclusions(), Clocks(self.points)

    def _inclusions(self):
        values = self.proofs.get("inclusion")
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise Refused("proofs.json has no list of inclusion proofs.")
        return {number(value.get("seq"), "A row in proofs.json"): (digest(value.get("hash"), "proofs.json"), hashes(value.get("path"), "proofs.json")) for value in values}

    def roots(self):
        """Root by size, of the checkpoints and of the tree that the proofs are of, after every proof of growth between them."""
        roots = {point.size: point.root for point in self.points}
        if roots.setdefault(self.size, self.root) != self.root:
            raise Refused(f"proofs.json has another root for {rows_(self.size)} than checkpoints.txt.")
        steps = self.proofs.get("consistency")
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise Refused("proofs.json has no list of consistency proofs.")
        proved = {}
        for step in steps:
            old, new = (number(step.get(key), "A consistency proof in proofs.json") for key in ("from", "to"))
            if old not in roots or new not in roots or not consistent(old, new, roots[old], roots[new], hashes(step.get("path"), "proofs.json")):
                raise Refused(f"The tree over {rows_(old)} is not shown to be the beginning of the tree over {rows_(new)}: rows up to row {old:,} were altered, or the proof was.")
            proved[old] = new
        sizes = sorted(size for size in roots if size)
        for old, new in zip(sizes, sizes[1:]):
            if proved.get(old) != new:
                raise Refused(f"proofs.json does not show that the tree over {rows_(old)} is the beginning of the tree over {rows_(new)}.")
        return roots


class Verdict:
    """What was proved, as sentences, and the exit status."""

    def __init__(self):
        self.lines, self.status = [], 0

    def say(self, line, status=0):
        self.lines.append(line)
        self.status = max(self.status, status)


def verify_bundle(source, options):
    bundle = Bundle(source)
    keys = Keys(options.keys or bundle.keys, bundle.rotations + options.rotations, bool(options.keys or bundle.points))
    given = options.points
    if given and bundle.points and given[0].origin != bundle.points[0].origin:
        raise Refused(f"The checkpoint that was given is of the trail {given[0].origin[:80]!r}, and the bundle of {bundle.points[0].origin[:80]!r}.")
    if options.whole and bundle.kind != "whole":
        raise Refused("The bundle holds a part of the trail, and --whole asks for all of it.")
    walk = whole if bundle.kind == "whole" else part
    last, count = walk(bundle, keys, given)
    if (last, count) != (bundle.last, bundle.rows):
        raise Refused(f"The bundle holds {rows_(count)} up to row {last:,}, and its manifest says {rows_(bundle.rows)} up to row {bundle.last:,}.")
    return concluded(bundle, keys, given, options, last, count)


def concluded(bundle, keys, given, options, last, count):
    """The signatures of the last checkpoint and of those asked for, the other files, and the sentences."""
    chosen = bundle.points if options.every else bundle.points[-1:]
    for point in chosen + (given if options.every else given[-1:]):
        keys.check(point)
    for name, content in sorted(files_of(bundle).items()):
        if name != "verify.py" and hash_of(bundle.source, name) != content:
            raise Refused(f"{name} is not the file that manifest.json names: one of the two was altered.")
    verdict = Verdict()
    covered = max([point.size for point in chosen[-1:] + given[-1:]] or [0])
    verdict.say(holdings(bundle, last, count))
    describe(verdict, bundle, keys, given, options, last, covered)
    return verdict


def holdings(bundle, last, count):
    if bundle.kind == "whole":
        return f"{rows_(count)}: the whole trail up to row {last:,}." if count else "The trail is empty."
    if bundle.kind == "range":
        return f"{rows_(count)}: a part of the trail, {span(bundle.first, last)}, none missing between."
    return f"{rows_(count)}: a selection between rows {bundle.first:,} and {last:,}. That no row of their kind is left out is not proved: only a whole bundle shows what is absent."


def describe(verdict, bundle, keys, given, options, last, covered):
    """How far the checkpoints reach."""
    first = 1 if bundle.kind == "whole" else bundle.first
    for point in bundle.points[-1:]:
        verdict.say(f"Consistent with {point}.")
    if last > covered:
        chained = "not proved" if bundle.kind == "selection" else "chained to the rows before, and not proved"
        verdict.say(f"No checkpoint covers {span(max(covered + 1, first), last)}: {chained}.", 0 if covered >= first else 3)
    pinned = given[-1].size if given else last
    if last > pinned and covered > pinned:
        verdict.say(f"After the checkpoint from elsewhere came {span(max(pinned + 1, first), min(last, covered))}: signed by their author, who could still replace them.", 0 if pinned >= first else 3)
    if bundle.clocks.count:
        verdict.say(f"Note: {rows_(bundle.clocks.count)}, the first of them row {bundle.clocks.first:,}, say an earlier time than a checkpoint that they came after: back-dated, or a clock was set back.")
    closing(verdict, keys, given, options)


def closing(verdict, keys, given, options):
    """What key and checkpoint from elsewhere prove, and what is not proved without them."""
    for point in given[-1:]:
        verdict.say(f"Consistent with {point}.")
        for witness in keys.witnesses:
            seen = point.note.signed_by(witness)
            verdict.say(f"Cosigned by the witness {witness.name} at {clock(point.note.time_of(witness))}." if seen else f"Not cosigned by the witness {witness.name}.")
    for key, _ in keys.log.values():
        origin = "" if options.keys else ", from the bundle itself"
        verdict.say(f"Key {key.name} ({key.id.hex()}), fingerprint {key.fingerprint}{origin}.")
    if options.inside:
        verdict.say(f"Note: {' and '.join(options.inside)} lies in the bundle itself; take it from elsewhere.")
    if options.keys and given:
        verdict.say("Verified." if verdict.status == 0 else "Not proved.")
    elif options.keys:
        verdict.say("Authorship is proved by the key; completeness is not proved: give a checkpoint from elsewhere with --checkpoint.", 3)
    elif given:
        verdict.say("Completeness is proved by the checkpoint; authorship is not proved: give a key from elsewhere with --key.", 3)
    else:
        verdict.say(SELF_ONLY, 3)


def files_of(bundle):
    files = bundle.manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(value, dict) and isinstance(value.get("sha256"), str) for value in files.values()):
        raise Refused("manifest.json does not name the files of the bundle.")
    for name in files:
        if not re.match(r"[a-z_]+\.[a-z]+\Z", name):
            raise Refused(f"manifest.json names a file {name[:80]!r}, which no bundle holds.")
    return {name: value["sha256"] for name, value in files.items()}


def whole(bundle, keys, given):
    """Every row from the first, so every root is computed anew: the last row and the number of rows."""
    tree, last = Tree(), 0
    wanted = {}  # type: dict
    for point in given + bundle.points:
        wanted.setdefault(point.size, []).append(point)
    for row in rows(bundle.source, True, 1):
        bundle.clocks.take(row)
        compare(tree, wanted, bundle, keys)     # now that the next row is known to follow
        tree.add(row.digest)
        last = row.seq
        if last in bundle.paths and bundle.paths[last][0] != row.digest:
            raise Refused(f"Row {last:,} has another hash in proofs.json.")
    compare(tree, wanted, bundle, keys)
    for point in sorted(given + bundle.points, key=lambda point: -point.size):
        if point.size > last:
            missing = f"{span(last + 1, point.size)} {'is' if point.size == last + 1 else 'are'}"
            late = " A bundle that is older than the checkpoint looks the same: make it anew." if point in given else ""
            raise Refused(f"The trail ends here at row {last:,}, and {point} goes further: {missing} missing.{late}")
    check_proofs(bundle, bundle.roots(), given)
    return last, last


def compare(tree, wanted, bundle, keys):
    """Refused where a checkpoint over the rows so far has another root; says from which row on."""
    for point in wanted.get(tree.size, ()):
        if point.root != tree.root():
            other = next((own for own in bundle.points if own.size == point.size and own.root != point.root and keys.signs(own)), None)
            if other:
                raise Refused(f"Row {point.size:,} or one before it is not the one that was signed: the key signed two histories, {other} and {point}.")
            before = [own for own in bundle.points if 0 < own.size < point.size][-MOST_TRIES:]
            good = next((own.size for own in reversed(before) if keys.signs(own)), 0)
            earlier = f" (or one before row {good + 1:,}, if the key's holder signed another history)" if good else ""
            upwards = f", or a later one up to row {point.size:,}," if good + 1 < point.size else ""
            raise Refused(f"Row {good + 1:,}{upwards} is not the one that was signed{earlier}: the tree over these {rows_(point.size)} is not that of {point}. The trail was rewritten.")


def part(bundle, keys, given):
    """A range or a selection: rows proved to stand where they say in the tree of the last checkpoint."""
    roots = bundle.roots()
    paths = lines_of(bundle.source, "paths.jsonl", 16384) if bundle.kind == "selection" else None
    last, count, begin = 0, 0, None
    final = None
    for row in rows(bundle.source, bundle.kind == "range", bundle.first):
        bundle.clocks.take(row)
        if begin is None:
            begin = row
        if paths is not None:
            check_path(next(paths, None), row, bundle)
        if row.seq <= bundle.size:
            final = row
        last, count = row.seq, count + 1
    if begin is None or begin.seq != bundle.first:
        raise Refused(f"The bundle should begin with row {bundle.first:,}, and does not.")
    if paths is None:
        for row in (begin, final) if final is not None else ():
            recorded, path = bundle.paths.get(row.seq, (None, []))
            if recorded != row.digest or not included(row.seq - 1, bundle.size, row.digest, path, bundle.root):
                raise Refused(f"Row {row.seq:,} is not in the tree over {rows_(bundle.size)}: it or a row before it was altered, or rows were cut off.")
    check_proofs(bundle, roots, given)
    return last, count


def check_path(line, row, bundle):
    """Of a selection, each row has its own proof."""
    if line is None:
        raise Refused(f"Row {row.seq:,} has no proof in paths.jsonl.")
    proof = document(line, f"The proof of row {row.seq:,}")
    if proof.get("seq") != row.seq:
        raise Refused(f"Row {row.seq:,} has no proof in paths.jsonl: the proof in its place is of another row.")
    path = hashes(proof.get("path"), "paths.jsonl")
    if row.seq <= bundle.size and not included(row.seq - 1, bundle.size, row.digest, path, bundle.root):
        raise Refused(f"Row {row.seq:,} is not in the tree over {rows_(bundle.size)}: it was altered or put in.")


def check_proofs(bundle, roots, given):
    """The inclusion proofs that stand in proofs.json, the checkpoints that were given, and which checkpoint the tree is of."""
    for seq, (recorded, path) in bundle.paths.items():
        if not included(seq - 1, bundle.size, recorded, path, bundle.root):
            raise Refused(f"Row {seq:,} is not shown by proofs.json to be in the tree over {rows_(bundle.size)}.")
    if bundle.points and bundle.points[-1].size != bundle.size:
        raise Refused(f"proofs.json is of the tree over {rows_(bundle.size)}, and the last checkpoint over {rows_(bundle.points[-1].size)}.")
    for point in given if bundle.kind != "whole" else ():
        if point.size and point.size not in roots:
            raise Refused(f"No proof leads from the bundle to {point}. Make the bundle with that checkpoint: tidemark audit bundle --checkpoint FILE.")
        if point.size and roots[point.size] != point.root:
            raise Refused(f"Row {point.size:,} or one before it is not the one that was signed: the bundle's tree over {rows_(point.size)} is not that of {point}. The trail was rewritten.")


# -- The proof of one event ----------------------------------------------------------------------------------------------------------


def verify_proof(path, content, options):
    proof = document(content, os.path.basename(path))
    if proof.get("tidemark_proof") != 1:
        raise Refused(f"{os.path.basename(path)[:80]} is neither a bundle nor the proof of an event.")
    seq, size = (number(proof.get(key), f"{key!r} in the proof") for key in ("seq", "size"))
    packed, prev = (decoded(proof.get(key) if isinstance(proof.get(key), str) else "", length) for key, length in (("path", None), ("prev", 32)))
    if len(packed) % 32 or not 1 <= seq <= size:
        raise Refused(f"The proof is damaged: its path is no row of hashes, or row {seq:,} is not among {rows_(size)}.")
    body = body_of(proof, path, options)
    event_in_proof(body, seq)
    leaf = leaf_hash(seq, prev, body)
    root = climbed(seq - 1, size, leaf, [packed[at : at + 32] for at in range(0, len(packed), 32)])
    point = next((point for point in options.points if point.size == size), None)
    if options.points and point is None:
        raise Refused(f"The proof is of the tree over {rows_(size)}, and no checkpoint that was given is over so many. Make the proof with that checkpoint: tidemark audit proof EVENT --checkpoint FILE.")
    if root is None or (point and point.root != root):
        raise Refused(f"Row {seq:,} is not in the tree over {rows_(size)}: its record or its proof was altered.")
    verdict, keys = Verdict(), None
    verdict.say(f"Row {seq:,} of {size:,}, hash {leaf.hex()}: {body.decode('utf-8')}")
    if options.keys:
        keys = Keys(options.keys, options.rotations)
        for each in [point] if point else []:
            keys.check(each)
    proof_closing(verdict, keys, point, root, options)
    return verdict


def proof_closing(verdict, keys, point, root, options):
    if keys and point:
        closing(verdict, keys, [point], options)
    elif point:
        verdict.say(f"It stands in {point}; authorship is not proved: give a key from elsewhere with --key.", 3)
    else:
        verdict.say(f"It stands in the tree whose root is {root.hex()}: compare that with a checkpoint from elsewhere (--checkpoint).")
        verdict.say(SELF_ONLY, 3)


def body_of(proof, path, options):
    """The event's bytes: from --event, from the proof, or from the file beside it."""
    beside = re.sub(r"(\.json)?\Z", "", path, count=1) + ".event.json"
    if options.event or ("body" not in proof and os.path.isfile(beside)):
        with open(options.event or beside, "rb") as file:
            content = bounded(file, "The event's file")
        return content[:-1] if content.endswith(b"\n") else content
    if not isinstance(proof.get("body"), str):
        raise Refused("The proof does not hold the event, which was too long for it: give its file with --event.")
    return proof["body"].encode("utf-8", "surrogatepass")


def event_in_proof(body, seq):
    try:
        event_in(body)
    except (ValueError, RecursionError):
        raise Refused(f"Row {seq:,} is no event: it is not canonical JSON.") from None


def climbed(index, size, leaf, path):
    """The root to which a path leads from a leaf, or None where it has not the length of one."""
    position, last, digest_ = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            digest_ = parent(sibling, digest_)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            digest_ = parent(digest_, sibling)
        position, last = position >> 1, last >> 1
    return digest_ if last == 0 else None


# -- The terminal ------------------------------------------------------------------------------------------------------------------------


def rows_(count):
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def span(first, last):
    return f"row {first:,}" if first == last else f"rows {first:,} to {last:,}"


def upper(point):
    text = str(point)
    return text[0].upper() + text[1:]


def clock(seconds):
    return stamp_of(seconds)[:19].replace("T", " ") + " UTC"


def stamp_of(seconds):
    """As events write their time; years have four digits, so that the order of texts is that of times."""
    try:
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        at = datetime.datetime.max
    return at.isoformat(timespec="microseconds") + "Z"


def end_of(path):
    """The checkpoints of a file that may have grown for years: all, or those at its end."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - MOST_SMALL, 0))
        content = file.read(MOST_SMALL)
    return content[content.find(b"\n\n") + 2 :] if size > MOST_SMALL else content


def file_content(path):
    with open(path, "rb") as file:
        return bounded(file, os.path.basename(path))


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify a bundle of the audit trail, or the proof of one event.")
    parser.add_argument("what", metavar="FOLDER|FILE.zip|PROOF.json", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--key", metavar="FILE", help="the trail's public key (and witnesses', a line each), from elsewhere than the bundle")
    parser.add_argument("--checkpoint", metavar="FILE", help="a signed checkpoint, from elsewhere than the bundle; of several, the last counts")
    parser.add_argument("--event", metavar="FILE", help="the event's record, where its proof does not hold it")
    parser.add_argument("--every", action="store_true", help="verify the signature of every checkpoint (slow), not of the last alone")
    parser.add_argument("--whole", action="store_true", help="refuse a bundle that holds only a part of the trail")
    return parser.parse_args(arguments)


def prepare(options):
    options.keys, options.rotations = keys_in(file_content(options.key), "The key file") if options.key else ([], [])
    options.points = checkpoints_in(end_of(options.checkpoint), os.path.basename(options.checkpoint), True) if options.checkpoint else []
    if options.key and not options.keys:
        raise Refused("The key file holds no key.")
    if options.checkpoint and not options.points:
        raise Refused("The checkpoint file holds no checkpoint.")
    folder = os.path.realpath(options.what)
    options.inside = [path for path in (options.key, options.checkpoint) if path and os.path.dirname(os.path.realpath(path)) == folder]


def verified(options):
    prepare(options)
    if os.path.isdir(options.what):
        return verify_bundle(Folder(options.what), options)
    if not os.path.isfile(options.what):
        raise Refused(f"There is no file or folder {options.what[:200]!r}.")
    if zipfile.is_zipfile(options.what):
        return verify_bundle(Archive(options.what), options)
    return verify_proof(options.what, file_content(options.what), options)


def main(arguments=None):
    """Prints the sentences; returns the exit status."""
    options = options_of(arguments)
    try:
        verdict = verified(options)
    except Refused as error:
        return ended(["Not verified: " + str(error)], 1)
    except UNREADABLE as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " ")
        return ended([f"Not verified: what was given cannot be read ({reason})."], 1)
    return ended(verdict.lines, verdict.status)


def ended(lines, status):
    for line in lines:
        safe = "".join(letter if letter.isprintable() else "?" for letter in line)
        print(safe.encode(sys.stdout.encoding or "ascii", "replace").decode(sys.stdout.encoding or "ascii"))
    return status


if __name__ == "__main__":
    sys.exit(main())
