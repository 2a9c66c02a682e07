"""What the finance desk looks at: figures over time, what needs a person, the ledger, finding."""
