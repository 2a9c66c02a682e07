"""What is done with applications, rounds and plans."""
