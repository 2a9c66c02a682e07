"""Benefits that partners claim and the operator fulfils."""
