"""What changes the policy: drafts, and publishing them."""
