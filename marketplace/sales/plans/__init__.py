"""What is for sale: partners' plans and discounts, the platform's discounts, and taxes."""
