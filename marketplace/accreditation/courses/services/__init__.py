"""What changes courses, and what learners do with them."""
