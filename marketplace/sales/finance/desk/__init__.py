"""The desk itself: overview, ledger, refunds, disputes, questions, write-offs and fees."""
