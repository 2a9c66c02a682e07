"""The verbs, a file per subject. They flush and never commit."""
