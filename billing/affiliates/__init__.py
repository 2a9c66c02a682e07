"""Affiliate programs: rules, members, links, clicks, and to whom a customer is credited."""
