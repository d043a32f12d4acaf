"""A witness: a small process on another machine that cosigns only what follows from the last it saw."""
