"""LLaVA checkpoints: reading them, and exporting a MultimodalLM as one."""
