"""Named queries, a file per subject."""
