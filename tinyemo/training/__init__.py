"""Training loops: in memory, seeded, resumable."""
