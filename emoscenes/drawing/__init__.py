"""Drawing of EmoScenes: takes scenes, gives pictures and image files."""
