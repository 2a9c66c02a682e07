"""Scorecards: evaluation, the path to the next tier, progress, the time machine."""
