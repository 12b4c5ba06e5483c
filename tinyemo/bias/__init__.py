"""Bias: what a model leans on beside the emotion, found, tested, reviewed and mended."""
