"""Buying: plans on listings, checkout, and what an organization has bought."""
