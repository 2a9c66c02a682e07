"""Co-marketing: campaigns with a shared budget and shared leads."""
