"""Other engines, each in its own script, run by an interpreter that has it installed; only public interfaces are used."""
