"""Credentials: Open Badges 3.0, badges as images, what anybody can verify."""
