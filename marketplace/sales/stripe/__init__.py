"""Stripe at our edge: the webhook's address, and the staff's page of what is stuck."""
