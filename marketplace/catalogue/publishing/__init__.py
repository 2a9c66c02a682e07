"""The partner portal: listings as their publisher writes them."""
