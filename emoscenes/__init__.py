"""EmoScenes: drawn scenes whose true p(emotion | attributes) is known."""
