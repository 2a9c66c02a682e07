"""What changes claims."""
