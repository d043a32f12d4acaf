"""The engine: markets, features, strategies, execution, analytics, evidence. No SQL, no page, no queue, no clock."""
