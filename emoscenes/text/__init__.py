"""Scenes -> captions, questions, answers and rationales."""
