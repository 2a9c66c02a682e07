"""Reads, a file per subject."""
