"""EmoScenes: a synthetic dataset of drawn scenes whose true p(emotion | attributes) is known."""

import tinyemo.paths  # noqa: F401  tinyemo prepares torchvision and OpenELM before others import them
