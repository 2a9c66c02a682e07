"""Three sides compared: the ledger, Stripe's balance transactions, and the bank."""
