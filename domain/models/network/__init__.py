"""What the networks share: layers, the loop that fits them, and what is left of a fit. Files here load torch, so they are imported inside functions only."""
