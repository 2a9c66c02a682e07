"""A hundred days of trade for the demo, made by the product itself against the stand-in for Stripe.

Nothing is written into a table by hand: plans are priced, checkouts paid, webhooks received, runs
approved and months closed by the same services as in production, while the clock runs from a
hundred days ago to now.
"""

# The file in the data folder in which the stand-in keeps what it knows.
STORE = "sandbox_stripe.db"
