"""The Help page: the documents of this version, searched and shown; keyboard shortcuts."""
