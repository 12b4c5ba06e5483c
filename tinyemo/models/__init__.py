"""Models: label anchors from a language model's table, the metric projector, reading weights safely."""
