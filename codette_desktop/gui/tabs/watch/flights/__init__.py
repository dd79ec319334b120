"""The flight record of an answer."""
