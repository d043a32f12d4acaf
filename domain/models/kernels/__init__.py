"""Loops over trees, compiled. Imported inside functions only, since importing them loads the compiler."""
