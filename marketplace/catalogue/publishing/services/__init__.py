"""The verbs of publishing, a file per group. They flush and never commit."""
