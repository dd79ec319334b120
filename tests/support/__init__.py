"""Shared by tests: guards that fail a test which leaves something behind, and real files to test with."""
