"""Training the multimodal LM: exact resumption, accumulation, several processes, selection."""

import json
import os
import random
import re
import signal
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tiny_lm import WORDS, save_lm

from tinyemo.data.instructions import Instruction, write_instructions
from tinyemo.features.store import FeatureStore
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.training import multimodal_job, multimodal_trainer
from tinyemo.training.multimodal_job import Job, fit_job, launch
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import PRESETS, StageRecipe
from tinyemo.training.multimodal_samples import GroupedSampler, Samples
from tinyemo.training.multimodal_trainings import fit_trainings

RECIPE = StageRecipe(
    "all", lr=1e-2, epochs=2, batch=8, per_device=4, drop_stream=0.3, evaluations=2, save_steps=3
)


class Source:
    """Four tokens of six numbers per image, drawn by its name; `calls` counts the calls."""

    key, calls = "made up", 0

    def __call__(self, images):
        self.calls += 1
        return [
            torch.randn(4, 6, generator=torch.Generator().manual_seed(int(Path(image).stem)))
            for image in images
        ]


@pytest.fixture(scope="module")
def lm(tmp_path_factory) -> Path:
    return save_lm(tmp_path_factory.mktemp("lm"))


def fresh(lm: Path) -> MultimodalLM:
    return MultimodalLM.from_lm(lm, {"image": Connector("linear", 6)}, template="plain")


def instructions(n: int, first: int = 0) -> list[Instruction]:
    """Answers of 1 to 12 words; every fifth record has no image."""
    draw = random.Random(first)
    items = []
    for i in range(first, first + n):
        image = "" if i % 5 == 4 else f"{i}.png"
        answer = " ".join(draw.choices(WORDS, k=draw.randint(1, 12)))
        items.append(
            Instruction(f"item-{i}", image, (("<image>\n" * bool(image) + "w1 w2", answer),))
        )
    return items


TRAIN, HELD_OUT = instructions(40), instructions(10, 100)


def run(
    lm: Path,
    out: Path,
    recipe: StageRecipe = RECIPE,
    model: MultimodalLM | None = None,
    source=None,
    seed=0,
):
    model = model or fresh(lm)
    source = source or Source()
    train = Samples(TRAIN, source, model.prompts, recipe.drop_stream, seed)
    held_out = Samples(HELD_OUT, source, model.prompts)
    return model, fit_stage(model, train, held_out, recipe, out, seed)


def killed(what) -> None:
    """Run `what` in a forked process, which must be killed by it."""
    child = os.fork()
    if not child:
        try:
            torch.set_num_threads(1)  # the parent's threads are not there after a fork
            what()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def same(model: MultimodalLM, other: MultimodalLM) -> bool:
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=1e-5) for a, b in pairs)


def same_history(history, other, columns=("loss", "validation_loss", "lr", "grad_norm")) -> bool:
    a, b = (torch.tensor(one[list(columns)].to_numpy()) for one in (history, other))
    return torch.allclose(a, b, rtol=0, atol=1e-5, equal_nan=True)


@pytest.fixture(scope="module")
def undisturbed(lm, tmp_path_factory):
    return run(lm, tmp_path_factory.mktemp("undisturbed"))


def dying_at(call: int) -> Source:
    """A source that kills the process at its `call`-th call; one is the probe, a step has two."""

    class Dying(Source):
        def __call__(self, images):
            return die() if self.calls == call - 1 else super().__call__(images)

    return Dying()


@pytest.mark.parametrize("trains", ["all", "lora"])
def test_training_killed_anywhere_is_resumed_exactly(lm, tmp_path, undisturbed, trains):
    recipe = replace(RECIPE, trains=trains, lora_r=2, lora_alpha=4, lora_dropout=0.3)
    expected, history = (
        undisturbed if trains == "all" else run(lm, tmp_path / "undisturbed", recipe)
    )
    # anywhere from step 2 to the last evaluation, and again within the shortest possible rest:
    # a step and an evaluation
    calls = random.randint(4, 25), random.randint(2, 6)
    for call in calls:
        killed(lambda call=call: run(lm, tmp_path / "out", recipe, source=dying_at(call)))
    model, resumed = run(lm, tmp_path / "out", recipe)
    assert same(model, expected), f"killed at batches {calls}"
    assert same_history(resumed, history), f"killed at batches {calls}"
    assert not list((tmp_path / "out").glob("checkpoint-*"))


def test_incomplete_checkpoint_is_skipped_for_the_one_before(
    lm, tmp_path, undisturbed, monkeypatch
):
    expected, history = undisturbed

    def fatal_checkpoint():
        save = multimodal_trainer.write_atomically
        monkeypatch.setattr(
            multimodal_trainer,
            "write_atomically",
            lambda path, write: (
                die() if path.match("checkpoint-6/whole.json") else save(path, write)
            ),
        )
        run(lm, tmp_path / "out")

    killed(fatal_checkpoint)
    assert (tmp_path / "out/checkpoint-3/whole.json").exists() and (
        tmp_path / "out/checkpoint-6"
    ).exists()
    source = Source()
    model, resumed = run(lm, tmp_path / "out", source=source)
    assert same(model, expected) and same_history(resumed, history)
    # 2 probes, 14 batches of the steps 4 to 10, and 2 batches of each evaluation: its third batch
    # has no images, so nothing is read for it
    assert source.calls == 2 + 14 + 4


@pytest.mark.parametrize("harm", ["truncated", "missing", "another seed", "another language model"])
def test_damaged_or_foreign_checkpoint_is_not_used(lm, tmp_path, undisturbed, harm):
    killed(lambda: run(lm, tmp_path / "out", source=dying_at(20)))  # after checkpoints 3 and 6
    newest = tmp_path / "out/checkpoint-6"
    if harm == "truncated":
        content = (newest / "optimizer.pt").read_bytes()
        (newest / "optimizer.pt").write_bytes(content[: len(content) // 2])
    elif harm == "missing":
        (newest / "weights.safetensors").unlink()
    model, seed = fresh(lm), int(harm == "another seed")
    if harm == "another language model":
        with torch.no_grad():
            model.lm.get_input_embeddings().weight[5, 5] += 1
    source = Source()
    model, history = run(lm, tmp_path / "out", model=model, source=source, seed=seed)
    assert list(history["step"]) == list(range(1, 11))
    # 2 probes, 4 batches of the evaluations, and the steps from checkpoint 3 or from the start
    assert source.calls == 6 + (14 if harm in ("truncated", "missing") else 20)
    assert (same(model, undisturbed[0]) and same_history(history, undisturbed[1])) is (
        not harm.startswith("another")
    )


def test_a_finished_stage_is_read_back(lm, tmp_path, undisturbed):
    run(lm, tmp_path)
    source = Source()
    model, history = run(lm, tmp_path, source=source)
    assert (
        source.calls == 2 and same(model, undisturbed[0]) and same_history(history, undisturbed[1])
    )


def test_stage_trains_only_its_own_part(lm, tmp_path):
    before = {name: value.clone() for name, value in fresh(lm).lm.state_dict().items()}
    model, _ = run(lm, tmp_path / "connector", replace(RECIPE, trains="connector"))
    after = model.lm.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not same(model, fresh(lm))
    connector = {name: value.clone() for name, value in model.connectors.state_dict().items()}
    run(lm, tmp_path / "lora", replace(RECIPE, trains="lora", lora_r=2), model=model)
    after = {
        name.replace(".base_layer", ""): value
        for name, value in model.lm.get_base_model().state_dict().items()
    }
    assert all(torch.equal(after[name], value) for name, value in before.items())
    moved = [value.abs().max() for name, value in model.lm.named_parameters() if "lora_B" in name]
    assert moved and all(moved)  # adapters begin as zeros
    assert not any(
        torch.equal(model.connectors.state_dict()[name], value) for name, value in connector.items()
    )
    model, _ = run(lm, tmp_path / "all")
    assert not any(
        torch.equal(model.lm.state_dict()[name], value) for name, value in before.items()
    )


def test_accumulated_batches_equal_one_large_batch(lm, tmp_path, undisturbed):
    """Micro-batches differ in answer tokens, so a mean of their means would be another loss."""
    model, history = run(lm, tmp_path, replace(RECIPE, per_device=1))
    assert same_history(history, undisturbed[1]) and same(model, undisturbed[0])


def test_the_weights_of_the_lowest_validation_loss_are_kept(lm, tmp_path):
    recipe = replace(RECIPE, lr=5e-2, epochs=8, evaluations=8, schedule="constant")
    model, history = run(lm, tmp_path, recipe)
    losses = history["validation_loss"].dropna()
    assert len(losses) == 8 and losses.iloc[-1] > losses.min()  # it does overfit
    whole = model.collate(
        Samples(HELD_OUT, Source(), model.prompts).__getitems__([(0, i) for i in range(10)])
    )
    with torch.no_grad():
        logits = model(**{name: value for name, value in whole.items() if name != "labels"}).logits
    predicted = logits[:, :-1].log_softmax(-1)
    answers = whole["labels"][:, 1:]
    mean = -predicted.gather(-1, answers.clamp(min=0)[..., None])[..., 0][answers >= 0].mean()
    assert float(mean) == pytest.approx(losses.min(), abs=1e-4)
    assert (
        load_file(tmp_path / "weights.safetensors").keys() == dict(model.named_parameters()).keys()
    )


def test_bfloat16_trains_about_as_well(lm, tmp_path, undisturbed):
    model, history = run(lm, tmp_path, replace(RECIPE, bf16=True))
    assert torch.tensor(history["loss"] - undisturbed[1]["loss"]).abs().max() < 0.05
    assert not same_history(history, undisturbed[1])  # it was not float32
    assert all(value.dtype == torch.float32 for value in model.parameters())
    assert list((tmp_path / "tensorboard").iterdir())


def test_batches_group_similar_lengths_and_use_every_item_once_per_epoch():
    draw = random.Random(0)
    lengths = [draw.randint(10, 200) for _ in range(330)]
    order = list(GroupedSampler(lengths, 16, 45, seed=3))
    assert (
        order
        == list(GroupedSampler(lengths, 16, 45, seed=3))
        != list(GroupedSampler(lengths, 16, 45, seed=4))
    )
    rows = [row for epoch, row in order if epoch == 1]
    assert [epoch for epoch, _ in order] == [0] * 320 + [1] * 320 + [2] * 80 and len(
        set(rows)
    ) == 320

    def padded(rows):
        return sum(
            16 * max(lengths[row] for row in rows[i : i + 16]) for i in range(0, len(rows), 16)
        )

    assert padded(rows) < 1.1 * sum(lengths[row] for row in rows)
    assert padded(draw.sample(rows, 320)) > 1.6 * sum(lengths[row] for row in rows)
    means = torch.tensor([float(lengths[row]) for row in rows]).view(-1, 16).mean(1)
    assert not torch.equal(
        means, means.sort(descending=True).values
    )  # lengths do not fall through the epoch
    with pytest.raises(ValueError, match="batch of 16 was asked for, but there are only 10 items"):
        GroupedSampler(lengths[:10], 16, 1, 0)


def test_images_are_withheld_by_seed_epoch_and_id(lm):
    items = instructions(1000)
    samples = Samples(items, Source(), fresh(lm).prompts, drop_stream=0.3, seed=1)
    withheld = {
        epoch: {row for row in range(1000) if samples.is_withheld(epoch, row)} for epoch in (0, 1)
    }
    assert 250 < len(withheld[0]) < 350 and 40 < len(withheld[0] & withheld[1]) < 140
    rows = random.Random(0).sample(range(1000), 100)
    for row, sample in zip(rows, samples.__getitems__([(1, row) for row in rows]), strict=True):
        shown = bool(items[row].image) and row not in withheld[1]
        assert bool(sample.streams) is shown
        assert not shown or torch.equal(sample.streams["image"][0], Source()([items[row].image])[0])


def test_unusable_recipes_and_instructions_are_refused(lm, tmp_path):
    with pytest.raises(
        ValueError, match="a batch of 8 cannot be split into 3 items for each of 1 processes"
    ):
        run(lm, tmp_path, replace(RECIPE, per_device=3))
    long = [replace(TRAIN[0], id="long", turns=(("<image> w1", "w1 " * 3000),)), *TRAIN]
    with pytest.raises(ValueError, match="instruction 'long': .*limit"):
        Samples(long, Source(), fresh(lm).prompts)
    with pytest.raises(ValueError, match="part 'some'"):
        run(lm, tmp_path, replace(RECIPE, trains="some"))
    with pytest.raises(ValueError, match="validation loss was never a number"):
        run(lm, tmp_path, replace(RECIPE, lr=1e38, clip=0.0))


# --- jobs ------------------------------------------------------------------------------------


@pytest.fixture
def job(lm, tmp_path) -> dict:
    """The JSON of a job with patch tokens in a store, and all that it names."""
    images = [f"{i}.png" for i in range(110)]
    FeatureStore.write(
        tmp_path / "store", images, torch.zeros(110, 2), torch.stack(Source()(images))
    )
    write_instructions(TRAIN, tmp_path / "train.json")
    write_instructions(HELD_OUT, tmp_path / "validation.json")
    small = {"batch": 8, "per_device": 2, "drop_stream": 0.2, "evaluations": 1, "max_steps": 3}
    return {
        "lm": str(lm),
        "out": str(tmp_path / "out"),
        "image_root": str(tmp_path / "images"),
        "template": "plain",
        "connector": "linear",
        "store": str(tmp_path / "store"),
        "pretraining": small,
        "finetuning": small | {"lr": 1e-2, "per_device": 8},
        "pretraining_train": str(tmp_path / "train.json"),
        "finetuning_train": str(tmp_path / "train.json"),
        "finetuning_validation": str(tmp_path / "validation.json"),
    }


def written(job: dict, path: Path) -> Path:
    path.write_text(json.dumps(job))
    return path


def test_two_processes_give_the_result_of_one(job, tmp_path):
    one = fit_job(Job.read(written(job, tmp_path / "one.json")))
    two = launch(replace(Job.read(tmp_path / "one.json"), out=str(tmp_path / "two")), processes=2)
    for stage in ("pretraining", "finetuning"):
        histories = [pd.read_csv(tmp_path / out / stage / "history.csv") for out in ("out", "two")]
        assert same_history(*histories, columns=["step", "lr", "loss"])
        finished = [
            json.loads((tmp_path / out / stage / "finished.json").read_text())
            for out in ("out", "two")
        ]
        assert [one["processes"] for one in finished] == [1, 2]
    assert same(one, two)
    assert same(one, MultimodalLM.load(tmp_path / "out/model"))


def test_validation_items_are_taken_at_even_distances(job, tmp_path, monkeypatch):
    """Files of photographs are sorted by emotion: the first records would have only one."""
    seen = []

    def record(model, train, validation, *_):
        items = validation.items if validation else []
        seen.append([int(item.id.removeprefix("item-")) for item in items])

    monkeypatch.setattr(multimodal_job, "fit_stage", record)
    for items in (3, 10, 11, 0):
        fit_job(Job.read(written(job | {"validation_items": items}, tmp_path / "job.json")))
    assert seen[1::2] == [[100, 103, 106], *[list(range(100, 110))] * 3]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"learning_rate": 1e-3}, "unknown key 'learning_rate'"),
        ({"encodr": "x"}, "unknown key 'encodr': did you mean encoder?"),
        ({"seed": "0"}, "seed is '0', expected int"),
        ({"validation_items": 1.5}, "validation_items is 1.5, expected int"),
        ({"tokenizer": 5}, "tokenizer is 5, expected str | None"),
        (
            {"preset": "large"},
            "preset is 'large', expected one of published, published-lora, small",
        ),
        ({"finetuning": {"lr": "1e-3"}}, "finetuning: lr is '1e-3', expected float"),
        ({"finetuning": {"epoch": 3}}, "finetuning: unknown key 'epoch': did you mean epochs?"),
    ],
)
def test_a_job_with_a_wrong_key_is_refused(tmp_path, change, sentence):
    path = written({"lm": "lm", "out": "out"} | change, tmp_path / "job.json")
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        Job.read(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_a_job_can_name_the_layers_with_adapters(tmp_path):
    path = written(
        {"lm": "lm", "out": "out", "finetuning": {"lora_modules": ["q_proj", "v_proj"]}},
        tmp_path / "job.json",
    )
    first, second = Job.read(path).recipes()
    assert (first.lora_modules, second.lora_modules) == ((), ("q_proj", "v_proj"))


def test_file_that_is_no_job_is_refused(tmp_path):
    with pytest.raises(ValueError, match="key 'out' is missing"):
        Job.read(written({"lm": "lm"}, tmp_path / "job.json"))
    (tmp_path / "job.json").write_text("{")
    with pytest.raises(ValueError, match="job.json: not JSON"):
        Job.read(tmp_path / "job.json")
    with pytest.raises(FileNotFoundError, match="no job file"):
        Job.read(tmp_path / "none.json")


def test_presets_are_the_published_ones():
    """TinyLLaVA Factory's scripts for OpenELM."""
    for name, trains, lr in (("published", "all", 2e-5), ("published-lora", "lora", 1e-4)):
        first, second = PRESETS[name]
        assert (first.trains, first.lr, first.batch, first.epochs) == ("connector", 1e-3, 256, 1)
        assert (second.trains, second.lr, second.batch, second.epochs) == (trains, lr, 128, 1)
        assert {(one.warmup, one.schedule, one.weight_decay) for one in (first, second)} == {
            (0.03, "cosine", 0.0)
        }
    assert (second.lora_r, second.lora_alpha) == (128, 256)


def test_trainings_share_the_setting_with_the_lowest_validation_loss(job):
    first = Job(**job)
    jobs = [first, replace(first, seed=1)]
    # a rate so high that the loss cannot become low
    table = fit_trainings(jobs, "finetuning", [3.0, 1e-2], [1])
    assert table["learning rate"].tolist() == [3.0, 1e-2, 1e-2]
    assert table["training"].tolist() == [0, 0, 1]
    assert table["chosen"].tolist() == [False, True, True]
    assert (table["steps"] == 3).all() and (table["items seen"] == 24).all()
    assert table["validation loss"][0] > table["validation loss"][1]
    models = [MultimodalLM.load(folder) for folder in table["model"]]
    assert not any(same(models[i], models[j]) for i in range(3) for j in range(i))
    # finished trainings are read back; a new one is added
    seconds = table["seconds"].tolist()
    more = fit_trainings([*jobs, replace(first, seed=2)], "finetuning", [3.0, 1e-2], [1])
    assert more["seconds"].tolist()[:3] == seconds and len(more) == 4
    alone = fit_trainings([first], "finetuning")
    assert alone["chosen"].tolist() == [True] and alone["learning rate"].tolist() == [1e-2]


def test_a_setting_is_chosen_on_validation_items_only(job):
    with pytest.raises(ValueError, match="finetuning: 2 settings .* no validation file"):
        fit_trainings([Job(**job | {"finetuning_validation": ""})], "finetuning", [0.1, 0.2])
    with pytest.raises(ValueError, match="0 jobs of stage 'finetuning': expected at least one"):
        fit_trainings([], "finetuning")
