"""Anchors: which tensor and which tokens are read, from every layout of a checkpoint, and every refusal."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tinyemo.emotions import LABEL_SETS, TEMPLATES
from tinyemo.models.anchors import embedding_table, load_anchors

WORDS = ["<unk>", "<s>", "[CLS]", "[SEP]", "joy", "fear", "a", "scene", "evoking", "to", "viewers"]
ID = {word: i for i, word in enumerate(WORDS)}


def table(rows=11):
    return torch.randn(rows, 5, generator=torch.Generator().manual_seed(0))


def save_tokenizer(folder: Path, style: str) -> None:
    tokenizer = Tokenizer(models.WordLevel(ID, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    around, special = {
        "llama": ("<s> $A", {"bos_token": "<s>"}),
        "bert": ("[CLS] $A [SEP]", {"cls_token": "[CLS]", "sep_token": "[SEP]"}),
    }[style]
    tokens = [(token, ID[token]) for token in special.values()]
    tokenizer.post_processor = processors.TemplateProcessing(single=around, special_tokens=tokens)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", **special).save_pretrained(folder)


@pytest.fixture
def llama(tmp_path):
    folder = tmp_path / "llama"
    save_tokenizer(folder, "llama")
    tensors = {"model.embed_tokens.weight": table(), "lm_head.weight": table() + 1}
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_llama_keeps_its_bos_and_bert_drops_cls_and_sep(llama, tmp_path):
    expected = torch.stack([table()[[ID["<s>"], ID[word]]].mean(dim=0) for word in ("joy", "fear")])
    assert torch.equal(load_anchors(llama, ["joy", "fear"]), expected)
    bert = tmp_path / "bert"
    save_tokenizer(bert, "bert")
    save_file({"embeddings.word_embeddings.weight": table()}, bert / "model.safetensors")
    assert torch.equal(load_anchors(bert, ["joy"]), table()[[ID["joy"]]])


def test_a_template_is_averaged_over_all_its_tokens(llama):
    text = TEMPLATES["evoking-viewers"]
    ids = [ID["<s>"]] + [ID[word] for word in text.format(emotion="joy").split()]
    assert torch.allclose(load_anchors(llama, ["joy"], text)[0], table()[ids].mean(dim=0))
    with pytest.raises(ValueError, match="expected a text with {emotion}"):
        load_anchors(llama, ["joy"], "a scene")


@pytest.mark.parametrize(
    "name",
    [
        "model.embed_tokens.weight", "embed_tokens", "transformer.token_embeddings.weight",
        "transformer.wte.weight", "bert.embeddings.word_embeddings.weight", "gpt_neox.embed_in.weight",
    ],
)
def test_every_family_s_table_is_found(llama, name):
    others = {"embeddings.token_type_embeddings.weight": table(2), "lm_head.weight": table() + 1}
    save_file({name: table().half(), **others}, llama / "model.safetensors")
    found, tokenizer = embedding_table(llama)
    assert torch.equal(found, table().half()) and tokenizer.bos_token == "<s>"
    assert load_anchors(llama, ["joy"]).dtype == torch.float32


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_of_a_sharded_checkpoint_only_the_shard_with_the_table_is_read(llama, file):
    expected = load_anchors(llama, ["joy"])
    (llama / "model.safetensors").unlink()
    stem, suffix = file.split(".")
    shard = f"{stem}-00002-of-00002.{suffix}"
    save = torch.save if suffix == "bin" else save_file
    save({"model.embed_tokens.weight": table()}, llama / shard)
    weight_map = {"lm_head.weight": f"{stem}-00001-of-00002.{suffix}", "model.embed_tokens.weight": shard}
    (llama / f"{file}.index.json").write_text(json.dumps({"weight_map": weight_map}))  # shard 1 is not there
    assert torch.equal(load_anchors(llama, ["joy"]), expected)
    (llama / shard).unlink()
    with pytest.raises(FileNotFoundError, match=shard):
        load_anchors(llama, ["joy"])
    (llama / f"{file}.index.json").write_text("{}")
    with pytest.raises(ValueError, match="index.json: expected JSON with a weight_map"):
        load_anchors(llama, ["joy"])


def test_a_bin_is_read_and_one_with_pickled_code_is_refused(llama, tmp_path):
    expected = load_anchors(llama, ["joy"])
    (llama / "model.safetensors").unlink()
    path = llama / "pytorch_model.bin"
    for legacy in (False, True):
        state = {"model.embed_tokens.weight": table()}
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        assert torch.equal(load_anchors(llama, ["joy"]), expected)

    class Code:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for write in (torch.save, lambda value, file: Path(file).write_bytes(pickle.dumps(value, 2))):
        write({"model.embed_tokens.weight": Code()}, path)
        with pytest.raises(ValueError, match=f"{path.name}: holds pickled code"):
            load_anchors(llama, ["joy"])
    assert not (tmp_path / "ran").exists()


def test_what_is_missing_is_named(llama, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        load_anchors(tmp_path / "nowhere", ["joy"])
    with pytest.raises(ValueError, match="its tokenizer does not know the text 'envy'"):
        load_anchors(llama, ["envy"])
    save_file({"lm_head.weight": table()}, llama / "model.safetensors")
    with pytest.raises(ValueError, match="no input-embedding tensor"):
        load_anchors(llama, ["joy"])
    (llama / "model.safetensors").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_anchors(llama, ["joy"])
    (llama / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no weights in it; expected model.safetensors"):
        load_anchors(llama, ["joy"])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FileNotFoundError, match="no-one/no-such-model: neither a folder here nor"):
        load_anchors("no-one/no-such-model", ["joy"])


def test_a_checkpoint_without_tokenizer_takes_another_s(llama, tmp_path):
    openelm = tmp_path / "openelm"
    openelm.mkdir()
    save_file({"transformer.token_embeddings.weight": table() * 2}, openelm / "model.safetensors")
    (openelm / "config.json").write_text('{"model_type": "openelm"}')
    with pytest.raises(FileNotFoundError, match="no tokenizer in it"):
        load_anchors(openelm, ["joy"])
    assert torch.allclose(load_anchors(openelm, ["joy"], tokenizer=llama), 2 * load_anchors(llama, ["joy"]))
    save_file({"transformer.token_embeddings.weight": table(rows=2)}, openelm / "model.safetensors")
    with pytest.raises(ValueError, match="no row for some token"):
        load_anchors(openelm, ["joy"], tokenizer=llama)


def test_of_a_hub_id_only_the_files_needed_are_asked_for(llama, monkeypatch):
    asked = []

    def snapshot_download(repo, allow_patterns):
        asked.extend(allow_patterns)
        return str(llama)

    monkeypatch.setattr("tinyemo.models.weights.snapshot_download", snapshot_download)
    assert torch.equal(load_anchors("owner/llama", ["joy"]), load_anchors(llama, ["joy"]))
    assert set(asked) == {"*.json", "*.txt", "*.model", "model.safetensors"}


def test_real_anchors_of_the_emotion_words(test_data):
    """Their mean cosine is known: .22, and .78 were [CLS] and [SEP] taken in."""
    anchors = load_anchors(test_data / "label_embeddings" / "minilm_l6", LABEL_SETS["ekman"])
    unit = torch.nn.functional.normalize(anchors, dim=1)
    assert anchors.shape == (6, 384)
    assert (unit @ unit.T)[~torch.eye(6, dtype=bool)].mean() == pytest.approx(0.22, abs=0.01)
