"""The passport: accreditations signed by one installation, verified by another."""
