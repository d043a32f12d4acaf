"""Against RFC 6962: the tree's published answers, a slow reference implementation written from the RFC's sentences, and every proof up to 70 leaves."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import consistency_proof, grown, inclusion_proof, root, verify_consistency, verify_inclusion
from domain.audit.merkle import EMPTY
from domain.audit.verify import Checker

MOST = 70
# The eight leaves of the Certificate Transparency test suite, and the root over the first n of them.
LEAVES = [bytes.fromhex(data) for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
FIRST_OF_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = max(2**n for n in range(10) if 2**n < len(leaves))
    return hashlib.sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def stored(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Every full node, as appending the leaves one by one keeps them."""
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves):
        nodes[0, index] = leaf
        for level, position, digest in grown(index, leaf, lambda *at: nodes[at]):
            assert (level, position) not in nodes
            nodes[level, position] = digest
    return nodes


@pytest.fixture(scope="module")
def tree():
    leaves = [leaf_hash(f"leaf {k}".encode()) for k in range(MOST)]
    nodes = stored(leaves)
    roots = [slow_root(leaves[:size]) for size in range(MOST + 1)]
    return leaves, roots, lambda level, position: nodes[level, position]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size):
    nodes = stored([leaf_hash(data) for data in LEAVES])
    assert root(size, lambda *at: nodes[at]).hex() == ROOTS[size]


def test_a_proof_is_the_published_one():
    nodes = stored([leaf_hash(data) for data in LEAVES])
    assert [digest.hex() for digest in inclusion_proof(0, 8, lambda *at: nodes[at])] == FIRST_OF_EIGHT


def test_every_root_equals_the_reference(tree):
    leaves, roots, node = tree
    assert [root(size, node) for size in range(MOST + 1)] == roots and roots[0] == EMPTY
    checker = Checker()
    for size, leaf in enumerate(leaves, 1):
        checker._grow(leaf)
        assert checker.root() == roots[size].hex()


def test_every_inclusion_proof_verifies_and_is_short(tree):
    leaves, roots, node = tree
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            assert verify_inclusion(index, size, leaves[index], proof, roots[size])
            assert len(proof) <= (size - 1).bit_length()


def test_every_consistency_proof_verifies_and_is_short(tree):
    _, roots, node = tree
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, node)
            assert verify_consistency(old, new, roots[old], roots[new], proof)
            assert len(proof) <= (new - 1).bit_length() + 1


def bent(proof: list[bytes]) -> list[list[bytes]]:
    """Every proof one small lie away: a bit turned, one left out, one twice, one too many, two exchanged."""
    turned = [[*proof[:k], bytes([proof[k][0] ^ 1]) + proof[k][1:], *proof[k + 1 :]] for k in range(len(proof))]
    shorter = [proof[:k] + proof[k + 1 :] for k in range(len(proof))]
    longer = [[*proof[:k], proof[k], *proof[k:]] for k in range(len(proof))]
    exchanged = [[*proof[:k], proof[k + 1], proof[k], *proof[k + 2 :]] for k in range(len(proof) - 1)]
    return [*turned, *shorter, *longer, *exchanged, [*proof, bytes(32)], [bytes(32), *proof]]


def test_no_bent_inclusion_proof_verifies(tree):
    leaves, roots, node = tree
    for size in range(1, 34):
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            assert not any(verify_inclusion(index, size, leaves[index], lie, roots[size]) for lie in bent(proof))
            assert not verify_inclusion(index, size, leaf_hash(b"another"), proof, roots[size])
            assert not verify_inclusion(index, size, leaves[index], proof, roots[size - 1])
            assert not any(verify_inclusion(other, size, leaves[index], proof, roots[size]) for other in (*range(index), *range(index + 1, size), size, -1))


def test_no_bent_consistency_proof_verifies(tree):
    _, roots, node = tree
    for new in range(2, 34):
        for old in range(1, new):
            proof = consistency_proof(old, new, node)
            assert not any(verify_consistency(old, new, roots[old], roots[new], lie) for lie in bent(proof))
            assert not verify_consistency(old, new, roots[old - 1], roots[new], proof)
            assert not verify_consistency(old, new, roots[old], roots[new - 1], proof)
            assert not verify_consistency(new, old, roots[new], roots[old], proof)


@pytest.mark.parametrize("call", [lambda n: inclusion_proof(3, 3, n), lambda n: inclusion_proof(-1, 3, n), lambda n: consistency_proof(0, 3, n), lambda n: consistency_proof(4, 3, n)])
def test_impossible_proofs_are_refused(tree, call):
    with pytest.raises(ValueError, match=r"is not among|cannot grow"):
        call(tree[2])


def test_the_empty_tree_grows_into_anything_and_nothing_shrinks(tree):
    _, roots, _ = tree
    assert verify_consistency(0, 5, EMPTY, roots[5], []) and not verify_consistency(0, 5, EMPTY, roots[5], [bytes(32)])
    assert verify_consistency(5, 5, roots[5], roots[5], []) and not verify_consistency(5, 5, roots[5], roots[4], [])


@given(st.data())
def test_what_an_append_needs_is_already_stored(data):
    """Each append asks for full nodes only, so it costs at most log2 of the trail's length."""
    index = data.draw(st.integers(0, 2**40))
    requested: list[tuple[int, int]] = []
    nodes = list(grown(index, bytes(32), lambda level, position: requested.append((level, position)) or bytes(32)))
    assert len(nodes) == len(requested) <= 41
    assert all((position + 1) << level <= index for level, position in requested)
