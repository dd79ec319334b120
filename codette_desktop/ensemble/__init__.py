"""One request, several models, one answer."""
