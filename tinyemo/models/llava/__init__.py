"""LLaVA checkpoints: reading and exporting."""
