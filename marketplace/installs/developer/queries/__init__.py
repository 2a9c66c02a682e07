"""What the developers' pages read: select() only."""
