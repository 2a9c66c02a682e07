"""What people do with listings: review, use, follow, ask for and report them."""
