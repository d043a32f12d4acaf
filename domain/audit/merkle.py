"""The RFC 6962 tree over the chain's hashes: its root, and proofs of membership and of growth.

A node is ``(level, position)``: the hash of the leaves ``[position · 2^level, (position + 1) · 2^level)``. Only full
nodes are stored, by the append that completes them; leaves are the events' own hashes. Everything is bytes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

Node = Callable[[int, int], bytes]
EMPTY = hashlib.sha256(b"").digest()


def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(index: int, leaf: bytes, node: Node) -> Iterator[tuple[int, int, bytes]]:
    """The full nodes above the leaves that leaf number ``index`` (from 0) completes: level, position, hash.

    >>> leaves = [bytes([k]) * 32 for k in range(4)]
    >>> nodes = {(0, k): leaf for k, leaf in enumerate(leaves)}
    >>> [(level, position) for level, position, _ in grown(1, leaves[1], lambda l, p: nodes[l, p])]
    [(1, 0)]
    """
    level, digest = 0, leaf
    while index & 1:
        digest = parent(node(level, index - 1), digest)
        index >>= 1
        level += 1
        yield level, index, digest


def root(size: int, node: Node) -> bytes:
    """The root over the first ``size`` leaves; of none, SHA256 of nothing."""
    return span_hash(0, size, node) if size else EMPTY


def span_hash(first: int, end: int, node: Node) -> bytes:
    """The hash over leaves ``[first, end)``, where ``first`` is where a subtree of that size may begin."""
    size = end - first
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, first >> level)
    middle = first + _split(size)
    return parent(span_hash(first, middle, node), span_hash(middle, end, node))


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962, section 2.1.1: at most ⌈log2 size⌉ hashes."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among {size}")
    return _path(index, 0, size, node)


def _path(index: int, first: int, end: int, node: Node) -> list[bytes]:
    if end - first == 1:
        return []
    middle = first + _split(end - first)
    if index < middle:
        return [*_path(index, first, middle, node), span_hash(middle, end, node)]
    return [*_path(index, middle, end, node), span_hash(first, middle, node)]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962, section 2.1.2: that the tree of ``old`` leaves is a prefix of the tree of ``new``."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} leaves cannot grow into one of {new}")
    return _subproof(old, 0, new, True, node)


def _subproof(old: int, first: int, end: int, complete: bool, node: Node) -> list[bytes]:
    if old == end - first:
        return [] if complete else [span_hash(first, end, node)]
    half = _split(end - first)
    middle = first + half
    if old <= half:
        return [*_subproof(old, first, middle, complete, node), span_hash(middle, end, node)]
    return [*_subproof(old - half, middle, end, False, node), span_hash(first, middle, node)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, digest = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            digest = parent(hash_, digest)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            digest = parent(digest, hash_)
        position, last = position >> 1, last >> 1
    return last == 0 and digest == expected


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    hashes = ([old_root] if old & (old - 1) == 0 else []) + list(proof)
    if not hashes:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    was = now = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            was, now = parent(hash_, was), parent(hash_, now)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            now = parent(now, hash_)
        position, last = position >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1
