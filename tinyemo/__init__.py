"""Small models for emotional reasoning: TinyEmo, step by step and checkable."""

from tinyemo import torchvision_shim
from tinyemo.models import openelm_registration

__version__ = "0.1.0"

torchvision_shim.install()  # before anything imports torchvision
openelm_registration.install()  # transformers' Auto classes then load OpenELM
