"""Cards and a script that partners embed, with live data."""
