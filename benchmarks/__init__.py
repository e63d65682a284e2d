"""Ratios of our jobs to public tools, measured in the same run on the same file: `python -m benchmarks`."""
