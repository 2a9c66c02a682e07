"""Subscriptions: as Stripe has them, changed and ended by the customer."""
