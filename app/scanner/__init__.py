"""Scanner: every strategy on every instrument and timeframe, graded; three proposals at most, and why the others are none."""
