"""Files of our bank: CSV and camt.053, read into lines that are kept once."""
