"""Metrics, anomalies, health, alerts, reports."""
