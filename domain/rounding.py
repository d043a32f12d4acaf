"""What counts as zero, decided once for features and metrics alike.

A ratio has no value over a base that is not above zero, nor over a deviation or a range that is nothing but rounding. Deviations of equal values,
sums that should cancel, and averages of ranges that decay while a market does not move are hardly ever exactly zero.
"""

ROUNDING = 1e-9         # of the size of the values it was computed from: a deviation, sum or range that is no more is nothing but rounding
LEAST_TICKS = 0.01      # ticks: a range of prices, or an average of ranges such as the ATR, that is under it is none
