"""Small models for emotional reasoning: TinyEmo, step by step and checkable."""

from importlib import import_module

from tinyemo import torchvision_shim
from tinyemo.models import openelm_registration

__version__ = "0.1.0"


def load(model: str = "emoscenes", device: str | None = None):
    """What answers about pictures: see tinyemo.predict.predictor, whose `load` this is."""
    # Imported by its name: an import statement would make every notebook depend on all this code.
    return import_module("tinyemo.predict.predictor").load(model, device)


torchvision_shim.install()  # before anything imports torchvision
openelm_registration.install()  # transformers' Auto classes then load OpenELM
