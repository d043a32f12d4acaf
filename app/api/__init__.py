"""The machine interface under /api/v1: each route is a thin call of the desk, with the desk's checks, roles and audit events."""
