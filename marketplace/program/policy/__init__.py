"""The policy: partner types, tiers, metrics, entitlements and benefits, versioned and dated."""
