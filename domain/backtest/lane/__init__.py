"""Combinations of a sweep: the decisions are columns, and only the bars on which something happens are simulated."""
