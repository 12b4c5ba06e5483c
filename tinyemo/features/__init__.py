"""Records -> features: frozen encoders (encoders.py), what they gave (store.py), and how it gets there."""
