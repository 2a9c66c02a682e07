"""The portal's pages for a partner's developers: apps, secrets, keys, API calls, the sandbox."""
