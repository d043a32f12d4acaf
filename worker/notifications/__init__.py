"""Messages to people over channels of theirs: written with what they tell of, sent by a process of its own."""
