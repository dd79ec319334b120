"""The HTTP API, on loopback only."""
