"""The verbs of onboarding, a module per subject. Services flush, the edge commits."""
