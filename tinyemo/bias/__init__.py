"""Bias: find which attributes a model uses besides the emotion, test, review and reduce them."""
