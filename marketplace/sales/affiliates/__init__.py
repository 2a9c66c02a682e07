"""Affiliates: links and clicks, a partner's programs, and what an affiliate sees of its own."""
