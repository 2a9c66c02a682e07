"""The funnel from impression to churn, bots excluded."""
