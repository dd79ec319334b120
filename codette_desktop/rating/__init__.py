"""Duels, votes, and what may be concluded from them."""
