"""Small models for emotional reasoning: TinyEmo, step by step and checkable."""

from tinyemo import registration, torchvision_shim

__version__ = "0.1.0"

torchvision_shim.install()  # before anything imports torchvision
registration.install()  # OpenELM, with transformers' Auto classes
