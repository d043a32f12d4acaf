"""Timings as ratios within one run: against a floor, or against what others take. `python -m benchmarks [NAME ...]`."""
