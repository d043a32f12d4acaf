"""Compiled loops of features: one file, one idea. Imported inside the functions that need them, so that a catalogue of features loads no compiler."""
