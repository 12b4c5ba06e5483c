"""Makes transformers' Auto classes know "openelm", in whatever order the packages are imported.

This module owns one import hook. Importing transformers takes seconds, and `import tinyemo` should
not. So the config is registered right after transformers has run its own registry, and the model
classes when the first config is made.
"""

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder

REGISTRY = "transformers.models.auto.configuration_auto"
REGISTERING = "tinyemo.models.openelm_config"  # registers the config when it is imported


class _AfterRegistry(MetaPathFinder):
    """Finds transformers' registry as usual, and imports REGISTERING once the registry has run."""

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == REGISTRY else None
        if spec is not None:
            run = spec.loader.exec_module

            def run_then_register(module) -> None:
                run(module)
                importlib.import_module(REGISTERING)

            spec.loader.exec_module = run_then_register
        return spec


def install() -> None:
    """Register now if transformers' registry is imported already, else as soon as it is."""
    if REGISTRY in sys.modules:
        importlib.import_module(REGISTERING)
    else:
        sys.meta_path.insert(0, _AfterRegistry())
