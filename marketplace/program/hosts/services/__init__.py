"""What changes mapped hosts."""
