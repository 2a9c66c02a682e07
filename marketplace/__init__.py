"""Portico's Flask application, a folder per domain.

Nothing is imported here, so that `billing` and `search` can use `marketplace.core` without
pulling in the application.
"""
