"""What is done with account checks."""
