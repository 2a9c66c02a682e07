"""Reading what the pages of affiliates show."""
