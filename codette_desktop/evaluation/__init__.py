"""Suites, metrics, grades, leaderboard."""
