"""Trading sessions at work: who runs them, how they come back after a crash, what stops them."""
