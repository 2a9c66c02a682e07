"""What the demo shows of the program."""
