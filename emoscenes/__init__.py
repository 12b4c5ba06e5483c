"""EmoScenes: a synthetic dataset of drawn scenes whose true p(emotion | attributes) is known."""

# tinyemo prepares torchvision and OpenELM before other libraries import them.
import tinyemo.paths  # noqa: F401
