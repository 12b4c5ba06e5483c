"""The metric projector: image features into a language model's embedding space.

Takes pooled image features (N, d_vision), gives embeddings (N, d_llm); the label of an image is the
nearest anchor by cosine (TinyEmo, arXiv 2410.07062). Architecture and parameter names are those of
the published projectors, so their `.bin` files load. A projector is saved as a folder:
model.safetensors, config.json, and a model card.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from tinyemo.hub import local_folder, read_bin, read_safetensors
from tinyemo.io import write_atomically
from tinyemo.strict_loading import load_weights, without_prefixes

CARD = """---
library_name: tinyemo
tags: [emotion-recognition, metric-projector]
---

# Metric projector, {d_vision} -> {d_llm}

Maps pooled image features ({d_vision} numbers, as the encoder gives them) into the input-embedding
space of a language model ({d_llm} numbers). The label is the one whose anchor is nearest by cosine.

```python
from tinyemo.models.projector import MetricProjector

projector = MetricProjector.from_pretrained("{folder}")
probabilities = projector.classify(features, anchors)  # (N, {d_vision}), (C, {d_llm}) -> (N, C)
```

How it was made:

```json
{info}
```
"""


class MetricProjector(nn.Module):
    """Linear, batch norm, GELU, dropout, linear: (N, d_vision) -> (N, d_llm), float32, any length.

    `layers` is the number of linear layers. 2 is the published projector; each further one has
    batch norm, GELU and dropout before it as well; 1 is a linear map. Probabilities are a softmax
    of cosines divided by `temperature`. `info` is saved with the model and written into its card:
    the anchors' checkpoint, the recipe, anything that JSON can hold.
    """

    OPTIONS = ("dropout", "temperature", "info")  # read from config.json; the weights give the rest
    TEMPERATURE = 0.07  # the default: that of NT-Xent

    def __init__(
        self,
        d_vision: int,
        d_llm: int,
        dropout: float = 0.2,
        temperature: float = TEMPERATURE,
        info: dict | None = None,
        layers: int = 2,
    ):
        super().__init__()
        self.d_vision, self.d_llm = d_vision, d_llm
        self.dropout = dropout
        self.temperature = temperature
        self.info = info or {}
        modules: list[nn.Module] = [nn.Linear(d_vision, d_llm)]
        for _ in range(layers - 1):
            modules += [nn.BatchNorm1d(d_llm), nn.GELU(), nn.Dropout(dropout)]
            modules += [nn.Linear(d_llm, d_llm)]
        self.model = nn.Sequential(*modules)

    def forward(self, features: Tensor) -> Tensor:
        """(N, d_vision) of any float dtype -> (N, d_llm) float32."""
        return self.model(features.float())

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Unit-length embeddings (N, d_llm), in evaluation mode. ValueError: another width."""
        if features.ndim != 2 or features.shape[1] != self.d_vision:
            raise ValueError(
                f"features of shape {tuple(features.shape)}: the projector takes "
                f"(N, {self.d_vision})"
            )
        was_training = self.training
        embeddings = F.normalize(self.eval()(features), dim=1)
        self.train(was_training)
        return embeddings

    def classify(
        self, features: Tensor, anchors: Tensor, temperature: float | None = None
    ) -> Tensor:
        """Probabilities (N, C): softmax over the cosines to the anchors (C, d_llm) / temperature.

        ValueError: features or anchors of another width.
        """
        if anchors.ndim != 2 or anchors.shape[1] != self.d_llm:
            raise ValueError(
                f"anchors of shape {tuple(anchors.shape)}: the projector maps to (C, "
                f"{self.d_llm}), so take them from the language model it was trained for"
            )
        cosines = self.embed(features) @ F.normalize(anchors.float(), dim=1).T  # (N, C)
        return torch.softmax(cosines / (temperature or self.temperature), dim=1)

    @classmethod
    def from_upstream(cls, path: str | Path) -> "MetricProjector":
        """A projector from a published `.bin` file; the widths follow from its tensors.

        FileNotFoundError: no such file. ValueError: pickled code, or not a projector's tensors.
        """
        return cls._from_state(read_bin(path), path, {"info": {"source": Path(path).name}})

    @classmethod
    def from_pretrained(cls, source: str | Path) -> "MetricProjector":
        """A projector saved by `save_pretrained`, from its folder or a hub id.

        Errors as of `from_upstream`.
        """
        folder = local_folder(source, ["config.json", "model.safetensors"])
        weights, config = folder / "model.safetensors", folder / "config.json"
        for path in (weights, config):
            if not path.is_file():
                raise FileNotFoundError(
                    f"{path}: no such file; expected a folder made by save_pretrained"
                )
        state = read_safetensors(weights)
        try:
            known = json.loads(config.read_text())
            options = {key: known[key] for key in cls.OPTIONS}
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{config}: expected JSON with the keys {', '.join(cls.OPTIONS)}"
            ) from error
        return cls._from_state(state, weights, options)

    @classmethod
    def _from_state(
        cls, state: dict[str, Tensor], path: str | Path, options: dict
    ) -> "MetricProjector":
        named = [one for one in (state, *without_prefixes(state)) if "model.0.weight" in one]
        first = named[0]["model.0.weight"] if named else None
        if first is None or first.ndim != 2:
            raise ValueError(
                f"{path}: no metric projector; expected tensors model.0.weight to model.4.bias"
            )
        batch_norms = [name for name in named[0] if name.endswith("running_mean")]
        layers = 1 + len(batch_norms)  # batch norm is between linear layers
        projector = cls(first.shape[1], first.shape[0], layers=layers, **options)
        load_weights(projector, named[0], path, "a metric projector")
        return projector.eval()

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write model.safetensors, config.json and README.md, atomically; returns the folder."""
        folder = Path(folder)
        config = {
            "d_vision": self.d_vision,
            "d_llm": self.d_llm,
            "dropout": self.dropout,
            "temperature": self.temperature,
            "info": self.info,
        }
        config_text = json.dumps(config, indent=2)
        card = CARD.format(
            d_vision=self.d_vision,
            d_llm=self.d_llm,
            folder=folder.name,
            info=json.dumps(self.info, indent=2),
        )
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        weights = folder / "model.safetensors"
        write_atomically(weights, lambda path: save_file(tensors, path, {"format": "pt"}))
        write_atomically(folder / "README.md", lambda path: path.write_text(card))
        write_atomically(folder / "config.json", lambda path: path.write_text(config_text))
        return folder


def load_projector(source: str | Path) -> MetricProjector:
    """A projector from a published `.bin`, a folder of `save_pretrained`, or a hub id of either.

    A hub repository with a published `.bin` needs no config.json. Errors as of `from_upstream`.
    """
    if Path(source).suffix == ".bin" or Path(source).is_file():
        return MetricProjector.from_upstream(source)
    folder = local_folder(source, ["config.json", "model.safetensors", "*.bin"])
    published = sorted(folder.glob("*.bin"))
    if published and not (folder / "model.safetensors").is_file():
        return MetricProjector.from_upstream(published[0])
    return MetricProjector.from_pretrained(folder)
