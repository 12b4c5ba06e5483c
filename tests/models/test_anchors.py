"""Anchors: the tensor and the tokens that are read from every layout, and what is refused."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from checkpoints import FAMILIES, save_checkpoint
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch.nn.functional import normalize
from transformers import PreTrainedTokenizerFast

from tinyemo.emotions import LABEL_SETS, TEMPLATES
from tinyemo.models.anchors import embedding_table, load_anchors, load_tokenizer

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
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", **special
    ).save_pretrained(folder)


@pytest.fixture
def llama(tmp_path):
    folder = tmp_path / "llama"
    save_tokenizer(folder, "llama")
    tensors = {"model.embed_tokens.weight": table(), "lm_head.weight": table() + 1}
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_llama_keeps_bos_and_bert_drops_cls_and_sep(llama, tmp_path):
    expected = torch.stack([table()[[ID["<s>"], ID[word]]].mean(dim=0) for word in ("joy", "fear")])
    assert torch.equal(load_anchors(llama, ["joy", "fear"]), expected)
    bert = tmp_path / "bert"
    save_tokenizer(bert, "bert")
    save_file({"embeddings.word_embeddings.weight": table()}, bert / "model.safetensors")
    assert torch.equal(load_anchors(bert, ["joy"]), table()[[ID["joy"]]])


def test_anchor_is_the_mean_over_all_tokens_of_its_template(llama):
    text = TEMPLATES["evoking-viewers"]
    ids = [ID["<s>"]] + [ID[word] for word in text.format(emotion="joy").split()]
    assert torch.allclose(load_anchors(llama, ["joy"], text)[0], table()[ids].mean(dim=0))
    for wrong in ("a scene", ["{emotion}", "a scene"], []):
        with pytest.raises(ValueError, match="expected a text with {emotion}"):
            load_anchors(llama, ["joy"], wrong)


def test_several_templates_count_equally_and_one_is_not_normalised(llama):
    texts = ["{emotion}", "a scene evoking {emotion}"]
    word, scene = (load_anchors(llama, ["joy", "fear"], text) for text in texts)
    expected = (word / word.norm(dim=1, keepdim=True) + scene / scene.norm(dim=1, keepdim=True)) / 2
    assert torch.allclose(load_anchors(llama, ["joy", "fear"], texts), expected)
    assert torch.equal(load_anchors(llama, ["joy", "fear"], texts[1:]), scene)


@pytest.mark.parametrize("weights", ["safetensors", "bin"])
@pytest.mark.parametrize("name", FAMILIES)
def test_anchors_from_the_published_files_of_each_family(tmp_path, name, weights):
    """Compared with the ids of tokenizers, BOS where published settings add it, and table rows."""
    family = FAMILIES[name]
    files = save_checkpoint(tmp_path, name, weights=weights)
    folder, text = files["anchors"], TEMPLATES["evoking-viewers"]
    tokenizer = Tokenizer.from_file(str(files.get("tokenizer", folder) / "tokenizer.json"))
    tensors = {}
    for path in folder.glob(f"*.{weights}"):
        tensors |= (
            load_file(path) if weights == "safetensors" else torch.load(path, weights_only=True)
        )
    expected = []
    for word in ("joy", "awe"):  # one token, several tokens
        ids = [tokenizer.token_to_id(token) for token in family.bos]
        ids += tokenizer.encode(text.format(emotion=word), add_special_tokens=False).ids
        expected.append(sum(tensors[family.embedding][i].float() for i in ids) / len(ids))
    anchors = load_anchors(folder, ["joy", "awe"], text, files.get("tokenizer"))
    assert anchors.shape == (2, family.width) and anchors.dtype == torch.float32
    assert torch.allclose(anchors, torch.stack(expected), atol=1e-5)
    if "tokenizer" in files:
        with pytest.raises(
            FileNotFoundError, match="no tokenizer in it.*for OpenELM that of Llama 2"
        ):
            load_anchors(folder, ["joy"])
    assert not (folder / "ran").exists()  # the code that auto_map names was not run


def test_anchors_from_files_that_transformers_writes(tmp_path):
    """The anchor is the mean of the vectors that the embedding layer of the model itself gives."""
    from transformers import LlamaForCausalLM, Phi3ForCausalLM, PhiForCausalLM

    for model_class, name in (
        (LlamaForCausalLM, "TinyLlama-1.1B"),
        (PhiForCausalLM, "Phi-2"),
        (Phi3ForCausalLM, "Phi-3-mini"),
    ):
        folder = save_checkpoint(tmp_path, name, width=16)["anchors"]
        tokenizer = load_tokenizer(folder)
        config = model_class.config_class(
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            vocab_size=len(tokenizer),
            pad_token_id=0,
            bos_token_id=0,
            eos_token_id=0,
        )
        model = model_class(config)
        for path in folder.glob("model*"):
            path.unlink()
        model.save_pretrained(folder, max_shard_size="15KB")
        assert (folder / "model.safetensors.index.json").is_file()
        ids = tokenizer("contentment", return_tensors="pt")["input_ids"]
        expected = model.get_input_embeddings()(ids).mean(dim=1)
        assert torch.allclose(load_anchors(folder, ["contentment"]), expected, atol=1e-6), name


def test_tokenizer_is_read_without_tokenizer_json(tmp_path):
    phi = save_checkpoint(tmp_path, "Phi-2", width=16)["anchors"]
    expected = load_anchors(phi, LABEL_SETS["mikels"])
    (phi / "tokenizer.json").unlink()  # vocab.json and merges.txt hold the same
    assert torch.equal(load_anchors(phi, LABEL_SETS["mikels"]), expected)
    llama = save_checkpoint(tmp_path, "TinyLlama-1.1B", width=16)["anchors"]
    (llama / "tokenizer.json").write_text("{")
    with pytest.raises(
        ValueError, match="tokenizer.json: it or tokenizer_config.json beside it is damaged"
    ):
        load_anchors(llama, ["joy"])
    (llama / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match="not tokenizer.model alone"):
        load_anchors(llama, ["joy"])


@pytest.mark.parametrize(
    "name",
    [
        "model.embed_tokens.weight",
        "embed_tokens",
        "transformer.token_embeddings.weight",
        "transformer.wte.weight",
        "bert.embeddings.word_embeddings.weight",
        "gpt_neox.embed_in.weight",
    ],
)
def test_embedding_table_is_found_under_every_familys_name(llama, name):
    others = {"embeddings.token_type_embeddings.weight": table(2), "lm_head.weight": table() + 1}
    save_file({name: table().half(), **others}, llama / "model.safetensors")
    found, tokenizer = embedding_table(llama)
    assert torch.equal(found, table().half()) and tokenizer.bos_token == "<s>"
    assert load_anchors(llama, ["joy"]).dtype == torch.float32


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_only_the_shard_with_the_table_is_read(llama, file):
    expected = load_anchors(llama, ["joy"])
    (llama / "model.safetensors").unlink()
    stem, suffix = file.split(".")
    shard = f"{stem}-00002-of-00002.{suffix}"
    save = torch.save if suffix == "bin" else save_file
    save({"model.embed_tokens.weight": table()}, llama / shard)
    weight_map = {
        "lm_head.weight": f"{stem}-00001-of-00002.{suffix}",
        "model.embed_tokens.weight": shard,
    }
    (llama / f"{file}.index.json").write_text(
        json.dumps({"weight_map": weight_map})
    )  # shard 1 is not there
    assert torch.equal(load_anchors(llama, ["joy"]), expected)
    (llama / shard).unlink()
    with pytest.raises(FileNotFoundError, match=shard):
        load_anchors(llama, ["joy"])
    (llama / f"{file}.index.json").write_text("{}")
    with pytest.raises(ValueError, match="index.json: expected JSON with a weight_map"):
        load_anchors(llama, ["joy"])


def test_bin_is_read_and_pickled_code_is_refused(llama, tmp_path):
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


def test_missing_parts_of_a_checkpoint_are_named(llama, tmp_path, monkeypatch):
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


def test_checkpoint_without_tokenizer_uses_that_of_another(llama, tmp_path):
    openelm = tmp_path / "openelm"
    openelm.mkdir()
    save_file({"transformer.token_embeddings.weight": table() * 2}, openelm / "model.safetensors")
    (openelm / "config.json").write_text('{"model_type": "openelm"}')
    with pytest.raises(FileNotFoundError, match="no tokenizer in it"):
        load_anchors(openelm, ["joy"])
    assert torch.allclose(
        load_anchors(openelm, ["joy"], tokenizer=llama), 2 * load_anchors(llama, ["joy"])
    )
    save_file({"transformer.token_embeddings.weight": table(rows=2)}, openelm / "model.safetensors")
    with pytest.raises(ValueError, match="no row for some token"):
        load_anchors(openelm, ["joy"], tokenizer=llama)


def test_only_the_needed_files_of_a_hub_id_are_downloaded(llama, monkeypatch):
    asked = []

    def snapshot_download(repo, allow_patterns):
        asked.extend(allow_patterns)
        return str(llama)

    monkeypatch.setattr("tinyemo.hub.snapshot_download", snapshot_download)
    assert torch.equal(load_anchors("owner/llama", ["joy"]), load_anchors(llama, ["joy"]))
    assert set(asked) == {"*.json", "*.txt", "*.model", "model.safetensors"}


def test_real_anchors_of_the_emotion_words(test_data):
    """Their mean cosine is known: 0.22; with [CLS] and [SEP] it would be 0.78."""
    anchors = load_anchors(test_data / "label_embeddings" / "minilm_l6", LABEL_SETS["ekman"])
    unit = normalize(anchors, dim=1)
    assert anchors.shape == (6, 384)
    assert (unit @ unit.T)[~torch.eye(6, dtype=bool)].mean() == pytest.approx(0.22, abs=0.01)
