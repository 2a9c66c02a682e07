"""Leads from forms of the directory, routed to partners, masked until accepted."""
