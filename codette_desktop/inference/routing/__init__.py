"""Routing: which model should answer a request, and why. Pure and synchronous; nothing here asks a model anything."""
