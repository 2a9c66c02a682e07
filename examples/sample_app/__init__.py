"""A partner's app: installs, keeps tokens, takes webhooks, calls the API. See README.md."""
