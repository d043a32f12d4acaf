"""Sweeps, walk-forwards and searches: asking for them, and reading what came of them."""
