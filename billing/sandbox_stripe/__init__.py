"""A stand-in for Stripe: a small web application with state, for the demo and the tests.

The real SDK talks to it over loopback. It checks requests against the SDK's own types, keeps its
objects in a SQLite file, remembers idempotency keys, signs webhooks, and moves time by our clock.
It knows nothing of the marketplace. What it does and does not do is in docs/stripe.md.
"""
