"""Labels of one's own through the notebooks about explanations: 03 and 04; 14 refuses them.

The pictures are those of own_pictures.py, with an attribute. The teacher is a server that knows
only the form that is asked for.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from own_pictures import LABELS, SORTED_SET, TINTS, make_pictures, run
from tiny_clip import save_tiny_clip
from tiny_lm import save_lm, save_word_vectors

from tinyemo.data.instructions import Instruction, read_instructions

QUESTION = "Question: What is in picture {number}?\nAnswer: There is water in it."
FEELING = "Question: How does it feel?\nAnswer: The water in picture {number} brings {label}."


class Teacher(BaseHTTPRequestHandler):
    """Answers in the form of the task; texts differ, so that no filter takes them for copies."""

    count = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Teacher.count += 1
        words = {"number": Teacher.count, "label": ""}
        asked = body["messages"][-1]["content"]
        if "makes people feel" in asked:
            words["label"] = asked.partition("makes people feel ")[2].partition(".")[0]
        if "conversation of three" in asked:
            text = "\n".join([QUESTION, FEELING, FEELING.replace("How", "Why")])
        elif "explain why" in asked:
            text = "Picture {number} shows water. The water makes people feel {label}."
        elif "about the feeling" in asked:
            text = FEELING
        elif "Write one question" in asked:
            text = QUESTION
        else:
            text = "Picture {number} shows water."
        message = {"role": "assistant", "content": text.format(**words)}
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        answer = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def service():
    """The environment of a teacher behind an API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Teacher)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        patch.setenv("OPENAI_API_KEY", "any-word")
        yield
    server.shutdown()


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    make_pictures(folder / "moods", 14)
    rows = ["image,label,split,attr_scene"]
    splits = ["train"] * 10 + ["validation"] * 2 + ["test"] * 2
    for label in TINTS:
        rows += [f"{label}/{n}.png,{label},{split},water" for n, split in enumerate(splits)]
    (folder / "moods" / "moods.csv").write_text("\n".join(rows))
    words = save_word_vectors(folder / "words", set("calm sea storm zesty".split()))
    clip = save_tiny_clip(folder / "clip", "vit")
    parameters = {
        "01_feature_extraction": {
            "images": str(folder / "moods"),
            "encoder_name": clip,
            "workers": 0,
        },
        "02_projector_training": {
            "label_sets": [SORTED_SET],
            "anchors": str(words),
            "zero_shot_to": "",
            "seeds": 1,
        },
        "03_emoreason_dataset": {
            "datasets": [str(folder / "moods" / "moods.csv")],
            "anchors": str(words),
            "pretraining_teacher": "api:a-model",
            "finetuning_teacher": "api:a-model",
            "budget": 0.0,
        },
        "04_mm_llm_finetuning": {
            "lm": str(save_lm(folder / "lm")),
            "encoder_name": clip,
            "label_set": SORTED_SET,
            "template": "plain",
        },
        "14_reasoning_evaluation": {"label_set": SORTED_SET},
    }
    (folder / "own").mkdir()
    for stem, values in parameters.items():
        text = yaml.safe_dump({"profile": "own"} | values)
        (folder / "own" / f"{stem}.yaml").write_text(text)
    return folder / "own"


@pytest.fixture(scope="module")
def runs(profile, service) -> Path:
    stems = ("01_feature_extraction", "02_projector_training", "03_emoreason_dataset")
    for stem in (*stems, "04_mm_llm_finetuning"):
        done = run(profile, stem)
        assert done.returncode == 0, f"{stem}: {done.stderr[-3000:]}"
    return profile.parent / "runs"


def explanations(file: Path) -> list[Instruction]:
    """The records about reasoning; a file shows the task in the id only."""
    items = read_instructions(file)
    return [item for item in items if item.id.rpartition("#")[2].startswith("reasoning")]


def test_instruction_data_explain_the_own_labels(runs):
    explained = explanations(runs / "03_emoreason_dataset" / "finetuning_train.json")
    named = set()
    for item in explained:
        question, answer = item.turns[0]
        label = question.rpartition("the correct label is ")[2].removesuffix(".")
        assert f"feel {label}." in answer
        named.add(label)
    assert named == set(LABELS)


def test_a_model_is_trained_that_explains_and_chooses_the_own_labels(runs):
    folder = runs / "04_mm_llm_finetuning"
    explained = explanations(folder / "alone_finetuning_train.json")
    assert explained
    assert all(label in item.turns[0][0] for item in explained for label in LABELS)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["alone/steps"] > 0
    assert metrics["conditioned/validation_loss"] > 0


def test_what_needs_drawn_scenes_refuses_own_pictures_in_one_sentence(profile, runs):
    done = run(profile, "14_reasoning_evaluation")
    assert done.returncode != 0
    assert "expected the scenes of EmoScenes, whose true evidence is known" in done.stderr
