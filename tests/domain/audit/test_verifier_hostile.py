"""verify.py on what an adversary may hand over: a sentence and status 1, never a traceback, never a false yes."""

from __future__ import annotations

import json
import os
import random
import zipfile

import pytest

from tests.domain.audit.trails import KEY, bundled, records, signed, unpacked, verified
from worker.store import Filter

CASES = int(os.environ.get("TIDEMARK_CASES", "25"))
ROWS = records(12)
NOTES = [signed(ROWS, size) for size in (4, 9, 12)]
FILES = ("events.jsonl", "events.csv", "checkpoints.txt", "proofs.json", "public_key.txt", "manifest.json")
DEEP = b"[" * 200_000
GARBAGE = (b"", b"\0", b"{}", b"[]", b"null", DEEP, b'{"a":' * 50_000, b"\xff\xfe" * 40, b"\n" * 5_000, b"9" * 5_000, b'{"format":1e999}', "\u2014 a AAAAAAA=\n\n\u2014 a AAAAAAA=\n".encode(),
           b'{"format":"tidemark-audit-bundle/v1","kind":"whole","first":1,"rows":9007199254740991}', b'{"format":"tidemark-audit-proofs/v1","size":12,"root":"' + b"0" * 64 + b'","inclusion":[[]]}')  # fmt: skip


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    (folder / "key.txt").write_text(KEY.verifier.text)
    (folder / "checkpoint.txt").write_text(NOTES[-1])
    return ["--key", folder / "key.txt", "--checkpoint", folder / "checkpoint.txt"]


@pytest.fixture(params=("whole", "range", "selection"))
def folder(request, tmp_path):
    wanted = {"whole": Filter(), "range": Filter(since="2026-11-20T09:00:03"), "selection": Filter(entity="run:0")}[request.param]
    return unpacked(bundled(ROWS, tmp_path / "audit.zip", NOTES, wanted), tmp_path / "in")


def refused(status, text):
    assert status == 1 and text.startswith("Not verified: ") and text.count("\n") == 1 and len(text) < 1_500, text


def test_a_changed_byte_in_any_file_is_found(folder, outside):
    rng = random.Random(2)
    names = [name for name in (*FILES, "paths.jsonl") if (folder / name).exists() and name != "manifest.json"]
    for _ in range(CASES):
        path = folder / rng.choice(names)
        content = path.read_bytes()
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
        refused(*verified(folder, *outside))
        path.write_bytes(content)
    assert verified(folder, *outside)[0] == 0


def test_a_changed_manifest_never_ends_in_a_traceback(folder, outside):
    rng, path = random.Random(3), folder / "manifest.json"
    content = path.read_bytes()
    for _ in range(CASES):
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] + bytes([rng.randrange(256)]) + content[at + rng.randrange(3) :])
        status, text = verified(folder, *outside)
        assert status in (0, 1) and "Traceback" not in text


@pytest.mark.parametrize("name", [*FILES, "paths.jsonl"])
def test_garbage_in_place_of_a_file_is_refused(name, folder, outside):
    if not (folder / name).exists():
        pytest.skip("only a selection has paths.jsonl")
    for garbage in GARBAGE:
        (folder / name).write_bytes(garbage)
        refused(*verified(folder, *outside))
    (folder / name).unlink()
    status, text = verified(folder, *outside)
    refused(status, text)
    assert f"{name} is missing from the bundle" in text
    (folder / name).mkdir()
    refused(*verified(folder, *outside))


def values(document):
    """Every place in a document: its container and key."""
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield document, key
        if isinstance(value, (dict, list)):
            yield from values(value)


@pytest.mark.parametrize("name", ["proofs.json", "manifest.json"])
def test_any_value_of_another_type_is_no_traceback(name, folder, outside):
    text, rng = (folder / name).read_text(), random.Random(6)
    places = sum(1 for _ in values(json.loads(text)))
    for _ in range(CASES):
        document = json.loads(text)
        container, key = list(values(document))[rng.randrange(places)]
        container[key] = rng.choice((None, -1, "x", [], {}, 2**53 - 1, True, [[]], "0" * 64))
        (folder / name).write_text(json.dumps(document))
        assert verified(folder, *outside)[0] in (0, 1)


def test_key_and_checkpoint_files_of_garbage_are_refused(folder, outside, tmp_path):
    for garbage in GARBAGE:
        (tmp_path / "x").write_bytes(garbage)
        refused(*verified(folder, "--key", tmp_path / "x", *outside[2:]))
        refused(*verified(folder, *outside[:2], "--checkpoint", tmp_path / "x"))
    refused(*verified(folder, "--key", tmp_path / "none", *outside[2:]))
    refused(*verified(folder, "--key", tmp_path, *outside[2:]))


@pytest.mark.parametrize("garbage", [*GARBAGE, b"PK\x03\x04" + b"\0" * 60, b"PK\x05\x06" + b"\0" * 18], ids=lambda content: repr(content[:9]))
def test_what_is_no_bundle_is_refused(garbage, outside, tmp_path):
    (tmp_path / "what").write_bytes(garbage)
    refused(*verified(tmp_path / "what", *outside))


def test_a_torn_or_damaged_archive_is_refused_and_never_takes_other_rows(outside, tmp_path):
    content, rng = bundled(ROWS, tmp_path / "audit.zip", NOTES).read_bytes(), random.Random(4)
    bodies = zipfile.ZipFile(tmp_path / "audit.zip").read("events.jsonl")
    path = tmp_path / "damaged.zip"
    for _ in range(CASES):
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] if rng.random() < 0.3 else content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
        status, text = verified(path, *outside)
        assert status in (0, 1), text
        if status == 0:     # a byte that says nothing of the rows, such as a date of the archive
            assert zipfile.ZipFile(path).read("events.jsonl") == bodies


@pytest.mark.parametrize("name", FILES)
def test_an_archive_that_unpacks_to_gigabytes_is_refused_at_once(name, outside, tmp_path):
    with zipfile.ZipFile(bundled(ROWS, tmp_path / "audit.zip", NOTES)) as good, zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
        for each in FILES:
            with bomb.open(each, "w") as file:
                file.write(good.read(each))
                for _ in range(40 if each == name else 0):
                    file.write(b" " * (1 << 20))
    refused(*verified(tmp_path / "bomb.zip", *outside))


def test_a_name_twice_in_an_archive_is_refused(outside, tmp_path):
    path = bundled(ROWS, tmp_path / "audit.zip", NOTES)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning):
        archive.writestr("events.jsonl", "{}")
    status, text = verified(path, *outside)
    refused(status, text)
    assert "twice under one name" in text


@pytest.mark.parametrize("body", ['{"a":1.0}', '{"b":1,"a":2}', '{ "a":1}', '{"a":NaN}', '{"a":9007199254740993}', '{"a":1,"a":1}', '"\\ud800"', '{"a":"\\u0041"}', "[]", '{"actor":1}', "[" * 30_000,
                                  '{"a":' * 9_000 + "1" + "}" * 9_000, "-0", "x" * 70_000], ids=lambda body: body[:12])  # fmt: skip
def test_a_row_that_hashes_right_and_is_no_canonical_event_is_refused(body, tmp_path):
    """The holder of the key can sign it; it is no event all the same."""
    from dataclasses import replace

    from domain.audit import chain_hash

    row = replace(ROWS[0], body=body, hash=chain_hash(1, ROWS[0].prev_hash, body))
    status, text = verified(bundled([row], tmp_path / "audit.zip", [signed([row], 1)]))
    refused(status, text)
    assert text.startswith("Not verified: Row 1 is no event") or "longer than" in text
