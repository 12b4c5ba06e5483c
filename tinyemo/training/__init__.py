"""Training of projectors and of the multimodal language model: seeded and resumable."""
