"""The library of models: what a GGUF file says of itself, whether it can be run, and which models there are."""
