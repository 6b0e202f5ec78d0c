"""Benchmarks: peers side by side in one run, medians and ratios. Run all: `python -m tests.benchmarks`."""
