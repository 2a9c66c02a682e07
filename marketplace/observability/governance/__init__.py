"""Expiring things, overrides, the audit chain."""
