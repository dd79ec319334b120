"""Data sets, recipes, training jobs in child processes, export to GGUF."""
