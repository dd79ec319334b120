"""The tests. Run them with `python3 packaging/dev.py test`."""
