"""The HTTP API, documented by OpenAPI."""
