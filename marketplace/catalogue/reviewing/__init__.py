"""Staff reviewing: the queue, the difference and the decision."""
