"""A combination of a sweep, compiled: what ``domain.backtest.kernel`` does with the same orders, to the last bit, without a row per bar."""
