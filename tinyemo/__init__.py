"""Small models for emotional reasoning: TinyEmo, step by step and checkable."""

from tinyemo import torchvision_shim
from tinyemo.models import openelm_registration

__version__ = "0.1.0"


def load(model: str = "emoscenes", device: str | None = None):
    """What answers about pictures: see tinyemo.predict.predictor, whose `load` this is."""
    from tinyemo.predict import predictor  # imports all models: only where they are used

    return predictor.load(model, device)


torchvision_shim.install()  # before anything imports torchvision
openelm_registration.install()  # transformers' Auto classes then load OpenELM
