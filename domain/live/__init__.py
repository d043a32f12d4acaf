"""Sessions that trade through time, and what is computed beside them: comparison, allocation, consistency."""
