"""What customers do with apps: consent, install, update, pause, remove, and their policy."""
