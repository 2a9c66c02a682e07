"""Managed services, and the evidence that they are run as promised."""
