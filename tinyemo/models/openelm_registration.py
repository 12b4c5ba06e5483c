"""Makes transformers' Auto classes know "openelm", whichever of transformers and tinyemo is imported first.

Owns one import hook. Importing transformers takes seconds, which `import tinyemo` must not cost; so the config is
registered right after transformers has run its own registry, and the model classes when a first config is made.
"""

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder

REGISTRY = "transformers.models.auto.configuration_auto"
REGISTERS = "tinyemo.models.openelm_config"  # on import


class _AfterRegistry(MetaPathFinder):
    """Finds the registry where it is, and has `REGISTERS` imported once it has run."""

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == REGISTRY else None
        if spec is not None:
            run = spec.loader.exec_module

            def run_then_register(module) -> None:
                run(module)
                importlib.import_module(REGISTERS)

            spec.loader.exec_module = run_then_register
        return spec


def install() -> None:
    """Register now if transformers' registry is there already, or else as soon as it is."""
    if REGISTRY in sys.modules:
        importlib.import_module(REGISTERS)
    else:
        sys.meta_path.insert(0, _AfterRegistry())
