"""Bias: find what a model uses beside the emotion, test it, review it, and reduce it."""
