"""Signed checkpoints of the audit trail: made by the one process that holds the key, and taken out of the system."""
