"""Applications with stages, reviewers, scores and a decision: admission, grants, plans."""
