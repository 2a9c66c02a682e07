"""The verbs of verification, a file per subject."""
