"""What changes passports and what is recognised."""
