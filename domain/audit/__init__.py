"""Evidence: events in canonical bytes, chained by hash, under a Merkle tree, checked by anyone."""

from domain.audit.merkle import consistency_proof as consistency_proof
from domain.audit.merkle import grown as grown
from domain.audit.merkle import inclusion_proof as inclusion_proof
from domain.audit.merkle import root as root
from domain.audit.merkle import verify_consistency as verify_consistency
from domain.audit.merkle import verify_inclusion as verify_inclusion
from domain.audit.record import GENESIS as GENESIS
from domain.audit.record import AuditEvent as AuditEvent
from domain.audit.record import Record as Record
from domain.audit.record import canonical as canonical
from domain.audit.record import chain_hash as chain_hash
from domain.audit.record import plain as plain
from domain.audit.verify import Verdict as Verdict
from domain.audit.verify import verify as verify
