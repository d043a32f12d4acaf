"""Other engines, each in a script of its own that is run by an interpreter that has it; only their public interfaces are used."""
