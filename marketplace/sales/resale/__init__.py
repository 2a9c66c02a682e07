"""Resale: agreements between publishers and resellers, quotes, and the customer's answer."""
