"""Datasets -> records (records.py), the audit of their splits, and LLaVA's instruction files."""
