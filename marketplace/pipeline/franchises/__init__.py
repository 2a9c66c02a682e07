"""Territories and royalties."""
