"""The acts, a file per subject."""
