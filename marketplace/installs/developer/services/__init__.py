"""What the developers' pages do, a file per thing."""
