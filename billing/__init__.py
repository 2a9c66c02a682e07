"""The money: ids and amounts, nothing of pages. Fees, payouts and the ledger live here."""
