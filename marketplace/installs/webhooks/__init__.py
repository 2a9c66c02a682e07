"""Telling partners what happened: events, endpoints, signed deliveries."""
