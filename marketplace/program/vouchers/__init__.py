"""Tokens that staff give to partners, and the credit that they post."""
