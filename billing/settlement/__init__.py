"""Settlement: what moves the ledger after a payment. docs/money.md tells it with examples."""
