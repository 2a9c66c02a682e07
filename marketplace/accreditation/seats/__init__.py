"""Seats that a verified school gives to its students."""
