"""What changes standings."""
