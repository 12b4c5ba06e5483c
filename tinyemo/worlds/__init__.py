"""The embedded worlds: scenes whose true p(emotion | attributes) is known, so every claim can be checked."""
