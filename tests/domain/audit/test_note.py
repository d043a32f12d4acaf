"""Signed notes, keys, checkpoints and rotations against published examples, and what is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest

from domain.audit import checkpoint, note, rotation
from domain.audit.keys import COSIGNATURE, SigningKey, VerifierKey, decoded
from domain.audit.merkle import EMPTY
from domain.errors import BadRequest

# The example of https://c2sp.org/signed-note
KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
# Test 2 of RFC 8032, section 7.1: seed, public key, message, signature
RFC_8032 = [
    bytes.fromhex(text)
    for text in (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    )
]
OLD, NEW, OTHER = (SigningKey("log.example/a", bytes([k] * 32)) for k in (1, 2, 3))
WITNESS = SigningKey("witness.example/w", bytes([9] * 32), COSIGNATURE)
ROOT = hashlib.sha256(b"root").digest()


def test_the_published_note_verifies_under_the_published_key():
    key = VerifierKey.parse(KEY)
    assert key.text == KEY and note.parse(NOTE).render() == NOTE
    assert note.parse(NOTE).signers([key]) == (key,)


def test_the_vector_of_rfc_8032():
    seed, public, message, signature = RFC_8032
    key = SigningKey("a", seed)
    assert key.verifier.public == public and key.sign(message) == signature


def test_a_key_id_is_the_start_of_the_hash_of_name_type_and_key():
    name, public = b"log.example/a", OLD.verifier.public
    assert OLD.verifier.id == hashlib.sha256(name + b"\n\x01" + public).digest()[:4]
    assert WITNESS.verifier.id == hashlib.sha256(b"witness.example/w\n\x04" + WITNESS.verifier.public).digest()[:4]
    assert OLD.verifier.fingerprint == hashlib.sha256(OLD.verifier.text.encode()).hexdigest()


def test_a_false_line_under_a_known_key_condemns_the_note_and_an_unknown_key_is_ignored():
    key, signed = VerifierKey.parse(KEY), note.parse(NOTE)
    with pytest.raises(BadRequest, match="did not make"):
        note.Note("Another message.\n", signed.signatures).signers([key])
    assert signed.signers([OLD.verifier]) == ()
    with_other = signed.with_signature(note.sign(signed.text, OTHER).signatures[0])
    assert with_other.signers([key]) == (key,) and len(with_other.signatures) == 2


def test_a_cosignature_covers_the_time_and_the_whole_text():
    at = checkpoint.Checkpoint("log.example/a", 7, ROOT, 1_700_000_000)
    signed = at.signed(OLD).with_signature(note.cosignature(at.text, WITNESS, 1_700_000_060))
    signature = signed.signatures[1]
    assert signed.time_of(WITNESS.verifier) == signature.seconds == 1_700_000_060
    message = b"cosignature/v1\ntime 1700000060\n" + at.text.encode()
    assert WITNESS.verifier.verifies(signature.value[8:], message)
    assert checkpoint.opened(signed.render(), [OLD.verifier, WITNESS.verifier]) == (at, (OLD.verifier, WITNESS.verifier))
    later = note.Signature(signature.name, signature.id, (1_700_000_061).to_bytes(8, "big") + signature.value[8:])
    with pytest.raises(BadRequest, match="did not make"):
        note.Note(at.text, (later,)).signers([WITNESS.verifier])


def test_a_checkpoint_is_three_lines_and_its_time():
    at = checkpoint.Checkpoint("log.example/a", 12, ROOT, 5, ("more",))
    assert at.text == f"log.example/a\n12\n{base64.b64encode(ROOT).decode()}\ntime 5\nmore\n"
    assert checkpoint.read(at.text) == at
    bare = checkpoint.Checkpoint("log.example/a", 12, ROOT)
    assert checkpoint.read(bare.text) == bare and bare.text.count("\n") == 3


@pytest.mark.parametrize("text", ["", "a\n", "a\n1\n", "a\n01\nAA==\n", "a\n-1\nAA==\n", "a\n1\nAA==\n", "a\n\u0661\n" + base64.b64encode(ROOT).decode() + "\n",
                                  "a\n1\n" + base64.b64encode(ROOT).decode(), "\n1\n" + base64.b64encode(ROOT).decode() + "\n", "a\n0\n" + base64.b64encode(ROOT).decode() + "\n",
                                  "a\n1\n" + base64.b64encode(EMPTY).decode() + "\n", "a\n1\n" + base64.b64encode(ROOT).decode() + "\n\n"])  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(BadRequest):
        checkpoint.read(text)


@pytest.mark.parametrize("text", ["", "no blank line\n", "a\n\n", NOTE[:-1], NOTE.replace("\u2014", "-"), NOTE.replace("example.com/foo", "two words"), NOTE.replace("M=\n", "N=\n"),
                                  NOTE.replace(".\n\n", ".\r\n\n"), "\ud800\n\n\u2014 a AAAAAAA=\n", "x" * 70_000 + "\n\n\u2014 a AAAAAAA=\n", "a\n\n" + "\u2014 a AAAAAAA=\n" * 65])  # fmt: skip
def test_what_is_no_note_is_refused(text):
    with pytest.raises(BadRequest):
        note.parse(text)


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+530d903a+AAAA", KEY.replace("530d", "530e"), KEY.replace("example.com", "example com"), KEY.replace("+Ae", "+Be"), KEY + "x"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(BadRequest):
        VerifierKey.parse(text)


def test_a_signing_key_is_read_back_and_never_quoted_in_a_refusal():
    assert SigningKey.parse(OLD.text + "\n") == OLD and SigningKey.parse(WITNESS.text) == WITNESS
    secret = OLD.text.rsplit("+", 1)[1]
    with pytest.raises(BadRequest) as refused:
        SigningKey.parse(OLD.text.replace("log.example/a", "log.example/b"))
    assert secret not in str(refused.value) and base64.b64encode(OLD.seed).decode()[:20] not in repr(OLD)


def test_a_checkpoint_needs_a_signature_of_a_key_that_was_given():
    signed = checkpoint.Checkpoint("log.example/a", 7, ROOT).signed(OLD).render()
    with pytest.raises(BadRequest, match="no key that was given"):
        checkpoint.opened(signed, [OTHER.verifier])


def test_base64_has_one_spelling():
    assert decoded("AQI=") == b"\1\2" and decoded("AQJ=") is None and decoded("AQI=\n") is None and decoded("A\u00e9==") is None


def test_after_a_rotation_both_keys_verify_each_up_to_its_size():
    statement = rotation.rotate(OLD, NEW, 40)
    first = rotation.opened(statement.render())
    second = rotation.opened(rotation.rotate(NEW, OTHER, 90).render())
    assert rotation.successors(OLD.verifier, [second, first]) == [(OLD.verifier, 40), (NEW.verifier, 90), (OTHER.verifier, None)]
    assert rotation.successors(NEW.verifier, [first, second]) == [(NEW.verifier, 90), (OTHER.verifier, None)]


def test_a_rotation_that_one_of_the_keys_did_not_sign_is_refused():
    statement = rotation.rotate(OLD, NEW, 40)
    for kept in statement.signatures:
        with pytest.raises(BadRequest, match="one is missing"):
            rotation.opened(note.Note(statement.text, (kept,)).render())


def test_a_key_handed_on_twice_or_in_a_circle_is_refused():
    there, elsewhere, back = (rotation.opened(rotation.rotate(*pair, 40).render()) for pair in ((OLD, NEW), (OLD, OTHER), (NEW, OLD)))
    with pytest.raises(BadRequest, match="two keys"):
        rotation.successors(OLD.verifier, [there, elsewhere])
    with pytest.raises(BadRequest, match="circle"):
        rotation.successors(OLD.verifier, [there, back])
