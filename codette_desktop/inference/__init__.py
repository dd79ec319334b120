"""One request, one model: the providers, and what stands before them."""
