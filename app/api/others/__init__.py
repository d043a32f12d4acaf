"""Calls of other systems, under their own paths and with their own bodies; each is translated to one of ours."""
