"""verify.py against published vectors, an oracle written here, and bundles that hold."""

from __future__ import annotations

import ast
import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from domain.audit import rotation
from domain.audit.keys import COSIGNATURE, SigningKey
from domain.audit.note import cosignature, parse
from domain.audit.record import canonical
from domain.audit.verifier import FILE, fingerprint, verify
from tests.domain.audit.trails import KEY, STRANGER, WORDS, bundled, records, signed, unpacked, verified
from worker.cells import safe_text
from worker.store import Filter

# RFC 8032, section 7.1: public key, message, signature of tests 1, 2, 3 and SHA(abc)
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", hashlib.sha512(b"abc").hexdigest(),
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
]  # fmt: skip
# RFC 6962's tree over these leaves, as its first implementations test it: the root of n = 0 … 8 of them
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032(public, message, signature):
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    assert verify.ed25519(public, signature, message)
    assert not verify.ed25519(public, signature, message + b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    above = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not verify.ed25519(public, signature[:32] + above, message)     # one signature, one spelling


def test_false_signatures_are_refused_as_the_library_refuses_them():
    rng = random.Random(5)
    for _ in range(6):
        key = SigningKey("a", rng.randbytes(32))
        signature, message = bytearray(key.sign(b"message")), b"message"
        assert verify.ed25519(key.verifier.public, bytes(signature), message)
        signature[rng.randrange(64)] ^= 1 << rng.randrange(8)
        assert not verify.ed25519(key.verifier.public, bytes(signature), message)
        assert not key.verifier.verifies(bytes(signature), message)


def test_the_published_roots_of_the_tree():
    tree, roots = verify.Tree(), [verify.EMPTY.hex()]
    for leaf in LEAVES:
        tree.add(hashlib.sha256(b"\0" + leaf).digest())
        roots.append(tree.root().hex())
    assert roots == ROOTS


def split(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(leaves):
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path_of(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def growth_of(m, leaves, complete=True):
    if m == len(leaves):
        return [] if complete else [mth(leaves)]
    k = split(len(leaves))
    return [*growth_of(m, leaves[:k], complete), mth(leaves[k:])] if m <= k else [*growth_of(m - k, leaves[k:], False), mth(leaves[:k])]


def test_inclusion_and_growth_against_the_definitions():
    leaves = [hashlib.sha256(bytes([k])).digest() for k in range(21)]
    for size in range(1, 22):
        whole = mth(leaves[:size])
        for index in range(size):
            path = path_of(index, leaves[:size])
            assert verify.included(index, size, leaves[index], path, whole) and verify.climbed(index, size, leaves[index], path) == whole
            assert not verify.included(index, size, leaves[(index + 1) % 21], path, whole)
            assert not verify.included((index + 1) % size, size, leaves[index], path, whole) or size == 1
            assert not verify.included(index, size, leaves[index], [*path, whole], whole)
            assert not path or not verify.included(index, size, leaves[index], path[:-1], whole)
        for old in range(1, size + 1):
            growth, before = growth_of(old, leaves[:size]), mth(leaves[:old])
            assert verify.consistent(old, size, before, whole, growth)
            assert not verify.consistent(old, size, leaves[20], whole, growth)
            assert not verify.consistent(old, size, before, whole, [*growth, whole])


@pytest.mark.parametrize("value", [{"\U0001f600": 1, "\ufffd": 2, "a": [{"é": "\x7f\u2028"}]}, {"b": "\x00\x1f\"\\/", "a": -(2**53) + 1}, {"": [[], {}, None, True]}])
def test_canonical_text_is_that_of_the_record(value):
    assert verify.canonical(value).encode() == canonical(value)


@pytest.mark.parametrize("word", [*WORDS, "", " =x", "\t=x", "\u00a0\uff1d1", "-1", "@x", "a=b", "|x", "\ufeff+1", "\u200b%", "it's", "'x", "\r-1"])
def test_a_cell_is_no_formula_and_one_line(word):
    shown = verify.cell(word)
    text = shown[1:-1].replace('""', '"') if shown.startswith('"') else shown
    assert safe_text(text) == text and len(shown.splitlines()) <= 1


# -- bundles that hold

ROWS = records(41)
NOTES = [signed(ROWS, size) for size in (7, 20, 32, 40)]


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Key and checkpoint as they were had before."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "key.txt").write_text(KEY.verifier.text + "\n")
    (folder / "checkpoint.txt").write_text(NOTES[2])
    return ["--key", folder / "key.txt", "--checkpoint", folder / "checkpoint.txt"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return bundled(ROWS, tmp_path_factory.mktemp("whole") / "audit.zip", NOTES)


def test_a_whole_bundle_verifies_as_archive_and_as_folder(whole, outside, tmp_path):
    for what in (whole, unpacked(whole, tmp_path / "in")):
        status, text = verified(what, *outside)
        assert status == 0 and "41 rows: the whole trail up to row 41." in text and text.endswith("Verified.\n")
        assert "No checkpoint covers row 41:" in text and "After the checkpoint from elsewhere came rows 33 to 40:" in text


def test_each_line_of_the_bundle_is_the_exact_body(whole):
    with ZipFile(whole) as archive:
        assert archive.read("events.jsonl").decode().split("\n") == [row.body for row in ROWS] + [""]
        assert archive.read("verify.py") == FILE.read_bytes()


def test_without_key_and_checkpoint_from_elsewhere_it_is_self_consistent_only(whole, outside):
    status, text = verified(whole)
    assert status == 3 and text.endswith("self-consistent only: authorship and completeness not proved\n")
    assert verified(whole, *outside[:2])[0] == 3 and "completeness is not proved" in verified(whole, *outside[:2])[1]
    assert verified(whole, *outside[2:])[0] == 3 and "authorship is not proved" in verified(whole, *outside[2:])[1]


def test_every_signature_can_be_requested(whole, outside, tmp_path):
    assert verified(whole, *outside, "--every")[0] == 0
    forged = bundled(ROWS, tmp_path / "a.zip", [NOTES[0], signed(ROWS, 20, STRANGER), NOTES[3]])
    assert verified(forged, *outside)[0] == 0
    status, text = verified(forged, *outside, "--every")
    assert status == 1 and "over 20 rows" in text


def test_a_key_of_another_is_refused(whole, outside, tmp_path):
    (tmp_path / "key.txt").write_text(STRANGER.verifier.text)
    status, text = verified(whole, "--key", tmp_path / "key.txt", *outside[2:])
    assert status == 1 and "not signed by the key" in text


@pytest.mark.parametrize(("since", "until", "first", "last"), [("09:00:05", "09:00:30", 5, 29), ("09:00:40", "", 40, 41), ("", "09:00:02", 1, 1), ("09:00:33", "09:00:39", 33, 38)])
def test_a_range_verifies_as_those_rows(since, until, first, last, outside, tmp_path):
    wanted = Filter(since=since and f"2026-11-20T{since}", until=until and f"2026-11-20T{until}")
    path = bundled(ROWS, tmp_path / "a.zip", NOTES, wanted)
    status, text = verified(path, *outside)
    assert f"a part of the trail, {f'rows {first} to {last}' if first < last else f'row {first}'}, none missing between." in text
    assert status == (0 if first <= 32 else 3)      # the checkpoint from elsewhere is over 32 rows
    assert "--whole" in verified(path, *outside, "--whole")[1] and verified(path, "--whole")[0] == 1


def test_a_selection_proves_each_row_and_says_that_it_may_leave_some_out(outside, tmp_path):
    path = bundled(ROWS, tmp_path / "a.zip", NOTES, Filter(entity="run:1"))
    status, text = verified(path, *outside)
    assert status == 0 and "14 rows: a selection between rows 1 and 40." in text and "is not proved" in text


def test_a_bundle_without_checkpoints_is_proved_by_one_from_elsewhere(outside, tmp_path):
    path = bundled(ROWS, tmp_path / "a.zip", keys="")
    assert verified(path)[0] == 3
    status, text = verified(path, *outside)
    assert status == 0 and "rows 33 to 41" in text


def test_an_empty_trail_is_a_bundle_and_contradicts_a_checkpoint(outside, tmp_path):
    path = bundled([], tmp_path / "a.zip", keys="")
    assert verified(path)[0] == 3 and "The trail is empty" in verified(path)[1]
    status, text = verified(path, *outside)
    assert status == 1 and "rows 1 to 32 are missing" in text


def test_a_checkpoint_of_another_trail_or_without_a_proof_is_refused(outside, tmp_path):
    path = bundled(ROWS, tmp_path / "a.zip", NOTES, Filter(until="2026-11-20T09:00:05"))
    (tmp_path / "at 30.txt").write_text(signed(ROWS, 30))
    status, text = verified(path, *outside[:2], "--checkpoint", tmp_path / "at 30.txt")
    assert status == 1 and "No proof leads from the bundle" in text
    (tmp_path / "other.txt").write_text(NOTES[0].replace(KEY.name, "tidemark.example/b"))
    assert "is of the trail" in verified(path, *outside[:2], "--checkpoint", tmp_path / "other.txt")[1]


def test_keys_that_followed_one_another_verify_from_whichever_is_known(tmp_path):
    third = SigningKey(KEY.name, bytes([9] * 32))
    handed = [rotation.rotate(KEY, STRANGER, 20).render(), rotation.rotate(STRANGER, third, 32).render()]
    chain = "\n".join((KEY.verifier.text + "\n", *handed))
    notes = [signed(ROWS, 20), signed(ROWS, 32, STRANGER), signed(ROWS, 40, third)]
    path = bundled(ROWS, tmp_path / "a.zip", notes, keys=chain)
    (tmp_path / "checkpoint.txt").write_text(notes[0])
    for key in (KEY, STRANGER, third):
        (tmp_path / "key.txt").write_text(key.verifier.text)
        assert verified(path, "--key", tmp_path / "key.txt", "--checkpoint", tmp_path / "checkpoint.txt", "--every")[0] == 0
    late = bundled(ROWS, tmp_path / "b.zip", [*notes, signed(ROWS, 41)], keys=chain)
    status, text = verified(late, "--key", tmp_path / "key.txt")
    assert status == 1 and "by a key that had been replaced at row 20" in text
    forked = "\n".join((chain, rotation.rotate(KEY, third, 20).render()))
    assert "handed on to two keys" in verified(bundled(ROWS, tmp_path / "c.zip", notes, keys=forked), "--key", tmp_path / "key.txt")[1]


def test_a_rotation_that_the_old_key_did_not_sign_leads_nowhere(tmp_path):
    note = rotation.rotate(KEY, STRANGER, 20)
    half = type(note)(note.text, note.signatures[1:]).render()
    path = bundled(ROWS, tmp_path / "a.zip", [signed(ROWS, 40, STRANGER)], keys=f"{KEY.verifier.text}\n\n{half}")
    assert verified(path)[0] == 1 and "lacks the signature" in verified(path)[1]


def test_a_witness_that_cosigned_is_named_and_a_false_cosignature_refused(whole, outside, tmp_path):
    witness = SigningKey("witness.example/w", bytes([3] * 32), COSIGNATURE)
    (tmp_path / "keys.txt").write_text(f"{KEY.verifier.text}\n# our witness\n{witness.verifier.text}\n")
    note = parse(NOTES[2])
    (tmp_path / "seen.txt").write_text(note.with_signature(cosignature(note.text, witness, 1_800_000_000)).render())
    status, text = verified(whole, "--key", tmp_path / "keys.txt", "--checkpoint", tmp_path / "seen.txt")
    assert status == 0 and "Cosigned by the witness witness.example/w at 2027-01-15 08:00:00 UTC." in text
    assert "Not cosigned" in verified(whole, "--key", tmp_path / "keys.txt", *outside[2:])[1]
    other = parse(NOTES[1])
    (tmp_path / "false.txt").write_text(note.with_signature(cosignature(other.text, witness, 1_800_000_000)).render())
    assert verified(whole, "--key", tmp_path / "keys.txt", "--checkpoint", tmp_path / "false.txt")[0] == 1


def test_of_a_file_of_checkpoints_the_largest_counts_and_a_torn_one_is_passed_over(whole, outside, tmp_path):
    (tmp_path / "all.txt").write_text("".join(NOTES) + NOTES[3][:90])
    status, text = verified(whole, *outside[:2], "--checkpoint", tmp_path / "all.txt")
    assert status == 0 and "over 40 rows, 2026-11-20 09:00:40 UTC (all.txt)" in text


def test_the_verifier_needs_python_3_8_and_nothing_else():
    tree = ast.parse(FILE.read_text(), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names and not names & {"socket", "urllib", "http", "subprocess"}


def pythons():
    """This Python, and each other one from 3.8 on that is at hand (or named in TIDEMARK_PYTHONS)."""
    named = os.environ.get("TIDEMARK_PYTHONS", "").split(os.pathsep) + [shutil.which(f"python3.{minor}") or "" for minor in (8, 14)]
    return [sys.executable, *(path for each in named if each for path in glob.glob(each) if runs(path))]


def runs(python):
    return subprocess.run([python, "-I", "-S", "-c", ""], env={"PATH": ""}, capture_output=True).returncode == 0


@pytest.mark.parametrize("python", pythons())
def test_the_bundle_verifies_itself_in_an_empty_folder_with_bare_python(python, whole, outside, tmp_path):
    folder = unpacked(whole, tmp_path / "in")
    environment = {"PATH": "", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([python, "-I", "-S", "verify.py", ".", *map(str, outside)], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("Verified.\n")
    line = folder / "events.jsonl"
    line.write_bytes(line.read_bytes().replace(b'"price":"', b'"price":"9', 1))
    done = subprocess.run([python, "-I", "-S", folder / "verify.py", folder, *map(str, outside)], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "") and done.stdout.startswith("Not verified: Row 1 was altered")


def test_the_manifest_names_each_file_with_its_hash(whole):
    with ZipFile(whole) as archive:
        files = json.loads(archive.read("manifest.json"))["files"]
        assert set(files) == set(archive.namelist()) - {"manifest.json"}
        assert all(hashlib.sha256(archive.read(name)).hexdigest() == file["sha256"] and archive.getinfo(name).file_size == file["bytes"] for name, file in files.items())


def test_the_release_names_the_hash_of_its_verifier():
    """``docs/audit.md``: whoever has a verifier can tell whether it is ours."""
    named = (Path(__file__).resolve().parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert f"`{fingerprint()}`" in named


def test_an_archive_of_the_unpacked_folder_verifies_too(whole, outside, tmp_path):
    folder = unpacked(whole, tmp_path / "audit")
    with ZipFile(tmp_path / "again.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"audit/{path.name}")
    assert verified(tmp_path / "again.zip", *outside)[0] == 0
