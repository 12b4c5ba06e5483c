"""Answers about pictures of one's own: bundles of trained models, and what they say."""
