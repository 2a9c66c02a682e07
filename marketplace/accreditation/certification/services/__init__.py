"""The verbs of certification, a file per subject."""
