"""Lets `import torchvision` work beside a CPU build of torch.

Owns one work-around. Some package indexes serve torchvision only as a CUDA build. Beside a CPU torch its
compiled extension cannot load, and `torchvision._meta_registrations` then dies with "operator
torchvision::nms does not exist", taking open_clip and transformers' image processors with it. Only the
transforms are needed here, so an empty module takes the place of those registrations. Where torch and
torchvision match (CUDA with CUDA, CPU with CPU, conda) nothing is touched.
"""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType


def _version_file(package: str) -> str:
    """The text of a package's version.py, read without importing the package; "" if it is not installed."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).with_name("version.py") if spec and spec.origin else None
    return file.read_text() if file and file.exists() else ""


def install() -> bool:
    """Put the empty module in place if, and only if, a CUDA torchvision lies beside a CPU torch."""
    if "torchvision" in sys.modules:
        return False
    torch_is_cpu = re.search(r"^cuda\b.*= None$", _version_file("torch"), re.MULTILINE)
    torchvision_is_cuda = re.search(
        r"^__version__ = .*\+cu\d", _version_file("torchvision"), re.MULTILINE
    )
    if not (torch_is_cpu and torchvision_is_cuda):
        return False
    sys.modules["torchvision._meta_registrations"] = ModuleType("torchvision._meta_registrations")
    return True
