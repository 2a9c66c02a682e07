"""Proving who an organization is: DNS, e-mail domain, documents."""
