"""What a partner earns: balances, each line with its receipt, statements, payouts and account."""
