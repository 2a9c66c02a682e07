"""Why a listing ranks where it does."""
