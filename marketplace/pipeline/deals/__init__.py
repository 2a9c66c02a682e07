"""Deals: registration, protection, conflicts, credits."""
