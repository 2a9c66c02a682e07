"""Stripe's stand-in, for the tests of paying."""

from tests.factories.stripe import stripe, stripe_server

__all__ = ["stripe", "stripe_server"]
