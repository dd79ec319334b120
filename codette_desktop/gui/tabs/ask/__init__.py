"""Ask: conversations with one model."""
