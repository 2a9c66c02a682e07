"""Paying partners: compute a run, let somebody else approve it, transfer, and what comes back."""
