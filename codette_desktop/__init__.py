"""Codette Desktop: run, compare, rate, improve and watch language models on your own computer."""

__version__ = "0.1.0"
