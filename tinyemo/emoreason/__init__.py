"""EmoReason: instruction data written by teachers, filtered and described."""
