"""The finance desk's pages: staff only."""
