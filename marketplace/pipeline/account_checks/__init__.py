"""Blind account checks between two partners."""
