"""Installing apps: registration, consent, tokens, webhooks to partners, health."""
