"""What people and the engine do with endpoints and deliveries, split by verb."""
