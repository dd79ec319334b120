"""Compare: one prompt, several models."""
