"""Answers given again: the exact response cache."""
