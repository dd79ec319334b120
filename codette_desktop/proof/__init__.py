"""Measuring an ensemble: its members and every method on questions whose answers are known."""
