"""The verbs of the terminal, one file a subject."""
