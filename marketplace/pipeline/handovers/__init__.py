"""Client workspaces: an agency sets one up and hands it over to its client."""
