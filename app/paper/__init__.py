"""Paper trading: sessions that trade as a backtest does, bar by bar, their commands, and what they decided."""
