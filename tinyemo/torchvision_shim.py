"""Makes `import torchvision` work beside a CPU build of torch.

Owns one work-around. Some package indexes offer torchvision only as a CUDA build. Its compiled
extension cannot be loaded beside a CPU torch. `torchvision._meta_registrations` then fails with
"operator torchvision::nms does not exist", and open_clip and transformers' image processors cannot
be imported. The project needs only the transforms, so an empty module replaces these registrations.
Nothing is replaced where torch and torchvision match (CUDA with CUDA, CPU with CPU, conda).
"""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

REGISTRATIONS = "torchvision._meta_registrations"


def _version_file(package: str) -> str:
    """The text of a package's version.py without importing the package; "" if it is not
    installed."""
    spec = importlib.util.find_spec(package)
    if not (spec and spec.origin):
        return ""
    file = Path(spec.origin).with_name("version.py")
    return file.read_text() if file.exists() else ""


def install() -> bool:
    """Put the empty module in place if a CUDA torchvision is installed beside a CPU torch, else do
    nothing."""
    if "torchvision" in sys.modules:
        return False
    torch_is_cpu = re.search(r"^cuda\b.*= None$", _version_file("torch"), re.MULTILINE)
    cuda_version = r"^__version__ = .*\+cu\d"
    torchvision_is_cuda = re.search(cuda_version, _version_file("torchvision"), re.MULTILINE)
    if not (torch_is_cpu and torchvision_is_cuda):
        return False
    sys.modules[REGISTRATIONS] = ModuleType(REGISTRATIONS)
    return True
