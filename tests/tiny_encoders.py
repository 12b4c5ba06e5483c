"""Small random checkpoints of stream encoders, in the layouts of the published ones."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    HubertConfig,
    HubertModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    VideoMAEConfig,
    VideoMAEImageProcessor,
    VideoMAEModel,
    ViTImageProcessor,
    ViTMAEConfig,
    ViTMAEModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

WORDS = "i am so happy that you came what no stop it please never mind we will see".split()
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
WIDTH = 16
NETWORK = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
SPEECH = {
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
}


def stirred(model: PreTrainedModel, seed: int = 0) -> PreTrainedModel:
    """The model with random weights that are large enough to tell one input from another."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in model.parameters():
        tensor.data.normal_(0, 0.2, generator=generator)
    return model.eval()


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def save_text_encoder(
    folder: Path, pooling: str = "mean_tokens", normalise: bool = True, longest: int = 12
) -> BertModel:
    """A BERT in the layout of sentence-transformers, whose tokens are WORDS."""
    vocabulary = {word: number for number, word in enumerate([*SPECIAL.values(), *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **SPECIAL)
    fast.save_pretrained(folder)
    model = stirred(
        BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=32, **NETWORK))
    )
    model.save_pretrained(folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    listed = [
        {"idx": number, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(modules)
        if normalise or kind != "Normalize"
    ]
    write_json(folder / "modules.json", listed)
    chosen = {f"pooling_mode_{name}": name == pooling for name in ("cls_token", "mean_tokens")}
    write_json(folder / "1_Pooling" / "config.json", chosen)
    write_json(
        folder / "sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False}
    )
    return model


def save_speech_encoder(folder: Path, kind: str, norm: str = "group") -> PreTrainedModel:
    """A HuBERT, WavLM or wav2vec2; `norm` "group" as the base models, "layer" as the large ones."""
    config, network = SPEECH[kind]
    model = stirred(
        network(
            config(
                conv_dim=(8, 8, 8),
                conv_kernel=(10, 8, 4),
                conv_stride=(5, 4, 4),
                conv_bias=norm == "layer",
                num_feat_extract_layers=3,
                num_conv_pos_embeddings=16,
                num_conv_pos_embedding_groups=2,
                feat_extract_norm=norm,
                do_stable_layer_norm=norm == "layer",
                **NETWORK,
            )
        )
    )
    model.save_pretrained(folder)
    settings = {"sampling_rate": 16000, "do_normalize": True, "feature_size": 1}
    write_json(folder / "preprocessor_config.json", settings)
    return model


def save_video_encoder(folder: Path, frames: int = 4) -> VideoMAEModel:
    """A VideoMAE for frames of 32 x 32 pixels."""
    model = stirred(
        VideoMAEModel(
            VideoMAEConfig(
                image_size=32,
                patch_size=16,
                num_frames=frames,
                tubelet_size=2,
                use_mean_pooling=False,
                **NETWORK,
            )
        )
    )
    model.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder)
    return model


def save_face_encoder(folder: Path) -> ViTMAEModel:
    """A ViT-MAE for pictures of 32 x 32 pixels."""
    decoder = {
        "decoder_hidden_size": 16,
        "decoder_num_hidden_layers": 1,
        "decoder_num_attention_heads": 2,
        "decoder_intermediate_size": 24,
    }
    model = stirred(
        ViTMAEModel(
            ViTMAEConfig(image_size=32, patch_size=8, mask_ratio=0.75, **NETWORK, **decoder)
        )
    )
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return model
