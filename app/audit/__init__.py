"""The Audit page: events, one event with its history, downloads."""
