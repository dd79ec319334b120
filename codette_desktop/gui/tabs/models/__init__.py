"""Models: what can answer on this computer."""
