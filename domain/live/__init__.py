"""A session: one account that trades bar by bar, as the backtest of its tape says. Pure: time, bars, commands and store are handed in."""
