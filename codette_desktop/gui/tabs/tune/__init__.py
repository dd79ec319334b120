"""Tune: making a model fit a purpose."""
