"""Resale: what publishers allow resellers, and what resellers quote to customers."""
