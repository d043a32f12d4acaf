"""The Overview page: first steps, the example, jobs."""
