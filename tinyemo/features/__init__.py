"""Records -> features: frozen encoders, extraction, the feature store, and TinyEmo's .pt trees."""
