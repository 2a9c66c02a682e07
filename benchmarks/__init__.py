"""Figures of the whole: `python -m benchmarks`, or `make bench`.

Ratios within one run hold on any machine; the absolute times are those of this one.
"""
