"""How severe a message is, the least first."""

SEVERITIES = ("info", "warning", "critical")
