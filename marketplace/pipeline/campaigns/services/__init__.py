"""What is done with campaigns."""
