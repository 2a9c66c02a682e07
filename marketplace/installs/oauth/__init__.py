"""The OAuth 2.0 authorization server, on Authlib with our own tables."""
