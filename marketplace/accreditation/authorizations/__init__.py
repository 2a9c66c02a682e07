"""Authorizations of listings by public authorities, and what procurement needs."""
