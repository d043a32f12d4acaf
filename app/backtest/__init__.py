"""The Backtest page's views of a run, one file each: a function of desk and run that draws."""
