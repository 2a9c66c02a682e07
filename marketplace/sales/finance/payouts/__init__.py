"""The staff's payout runs: compute, look, approve, pay, and what came of it."""
