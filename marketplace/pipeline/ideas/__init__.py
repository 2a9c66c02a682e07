"""Ideas, their votes and claims, and the demand chain up to a listing."""
