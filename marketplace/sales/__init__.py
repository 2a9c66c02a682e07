"""Selling: plans, checkout, earnings, and the finance desk's pages over billing/."""
