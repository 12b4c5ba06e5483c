"""Scenes -> pixels."""
