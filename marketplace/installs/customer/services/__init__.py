"""Acts upon installations, a file per verb. They flush and never commit."""
