"""Scenes -> words: captions that never name an emotion, and people who tell what scenes make them feel.

Two bodies of text that must not mix. Captions teach the small CLIP what things are called; they say only
what is drawn. Feeling texts teach the small LM what emotion words have to do with things: each tells of
one sampled scene and the label drawn for it, names the attributes that speak for that label
(`scenes.SIGNATURES`), and often the coarser words for it (`emotions.FROM_PARROTT`). All text is lower case
and drawn from a small vocabulary by a seeded numpy generator.
"""

import numpy as np

from emoscenes.scenes import SIGNATURES, Scene, is_decisive, sample_scenes
from tinyemo.emotions import FROM_PARROTT

CAPTION_KINDS = ("object", "person", "place", "full")

# attribute -> value -> ways to say it
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "object": {
        "rose": ("a red rose", "a rose", "a rose on a green stem"),
        "trophy": ("a golden trophy", "a trophy", "a winner's trophy"),
        "gift": ("a wrapped gift", "a gift", "a purple gift box with a pink ribbon"),
        "balloons": ("three balloons", "balloons", "colourful balloons on strings"),
        "lifebuoy": ("a lifebuoy", "an orange and white lifebuoy", "a lifebuoy ring"),
        "sunflower": ("a yellow sunflower", "a sunflower", "a big sunflower"),
        "firework": ("a firework", "a bursting firework", "a firework with many sparks"),
        "teacup": ("a teacup", "a hot teacup", "a steaming teacup on a saucer"),
        "wilted flower": (
            "a wilted flower",
            "a wilted flower in a pot",
            "a drooping wilted flower",
        ),
        "broken heart": ("a broken heart", "a pink broken heart", "a broken heart in two halves"),
        "alarm clock": ("an alarm clock", "a blue alarm clock", "a ringing alarm clock"),
        "bonfire": ("a bonfire", "a burning bonfire", "a bonfire of logs"),
        "snake": ("a green snake", "a snake", "a coiled snake"),
        "ghost": ("a white ghost", "a ghost", "a floating ghost"),
        "trash can": ("a trash can", "a full trash can", "a trash can with flies"),
        "umbrella": ("a purple umbrella", "an umbrella", "an open umbrella"),
        "book": ("an open book", "a book", "a blue book"),
        "chair": ("a wooden chair", "a chair", "an empty chair"),
        "guitar": ("a guitar", "an orange guitar", "a wooden guitar"),
        "car": ("a red car", "a car", "a small car"),
        "lamp": ("a lamp", "a table lamp", "a yellow lamp"),
        "backpack": ("a green backpack", "a backpack", "a school backpack"),
        "camera": ("a black camera", "a camera", "an old camera"),
        "bicycle": ("a blue bicycle", "a bicycle", "a bicycle with two wheels"),
    },
    "expression": {
        "smiling": ("smiling", "grinning", "smiling broadly"),
        "crying": ("crying", "weeping", "crying with tears on the cheeks"),
        "scowling": ("scowling", "frowning", "scowling with a red face"),
        "wide-eyed": ("wide-eyed", "staring", "wide-eyed with a pale face"),
        "grimacing": ("grimacing", "sticking out the tongue", "grimacing with a green face"),
        "open-mouthed": ("open-mouthed", "gasping", "open-mouthed with round eyes"),
        "neutral": ("looking straight ahead", "showing a blank face", "showing a plain face"),
    },
    "action": {
        "standing": ("standing", "standing still", "standing upright"),
        "sitting": ("sitting", "sitting down", "sitting on a stool"),
        "walking": ("walking", "taking a step", "walking along"),
        "jumping": ("jumping", "leaping", "jumping with raised arms"),
        "waving": ("waving", "waving a hand", "waving with one arm"),
        "crouching": ("crouching", "squatting", "crouching low"),
    },
    "background": {
        "beach": ("on a beach", "on the sand by the sea", "at the beach"),
        "graveyard": ("in a graveyard", "among gravestones", "in an old graveyard"),
        "mountain": ("in the mountains", "below a snowy mountain", "near high mountains"),
        "dump": ("at a dump", "by a heap of waste", "in a dump"),
        "forest": ("in a forest", "among tall trees", "in the woods"),
        "city street": ("on a city street", "in the city", "on a street between houses"),
        "bedroom": ("in a bedroom", "in a pink bedroom", "next to a bed"),
        "desert": ("in a desert", "in the desert among cacti", "in the dry desert"),
        "park": ("in a park", "in a green park", "in a park with a swing"),
        "office": ("in an office", "in a grey office", "near an office desk"),
    },
    "weather": {
        "clear": ("under a clear sky", "in clear weather"),
        "cloudy": ("under clouds", "in cloudy weather"),
        "rain": ("in the rain", "in rainy weather"),
        "snow": ("in the snow", "in snowy weather"),
        "fog": ("in fog", "in foggy weather"),
        "storm": ("in a storm", "in stormy weather"),
    },
    "time": {
        "day": ("by day", "in daylight"),
        "sunset": ("at sunset", "in the evening"),
        "night": ("at night", "in the dark of night"),
    },
    "style": {
        "photo": ("a photo of", "a photograph of"),
        "painting": ("a painting of", "a painted picture of"),
        "abstract": ("an abstract picture of", "an abstract image of"),
    },
}
_PERSON = ("a person", "someone", "somebody")

# ways to put the parts together, by kind of caption; {light} is empty or a word on brightness and colour
_SKELETONS: dict[str, tuple[str, ...]] = {
    "object": (
        "{object}",
        "{object}",
        "there is {object}",
        "we see {object}",
        "{style} {object}",
        "{object} lies on the ground",
        "a picture with {object}",
    ),
    "person": (
        "{person} {expression}",
        "{person} {expression}",
        "{person} is {expression}",
        "{person} {expression} and {action}",
        "{person} is {action} and {expression}",
        "{style} {person} {expression}",
        "{person} {action}",
    ),
    "place": (
        "{background}",
        "{background} {time}",
        "{background} {weather}",
        "{weather} {background}",
        "{background} {time} {weather}",
        "{style} a place {background}",
        "a {light} picture made {background}",
    ),
    "full": (
        "{person} {expression} and {action} {background} with {object}",
        "{style} {person} {expression} next to {object} {background}",
        "{object} and {person} {expression} {background} {time}",
        "{background} {person} is {action} near {object} {weather}",
        "{time} {weather} {person} {expression} is {action} {background} beside {object}",
        "a {light} picture of {object} and {person} {expression}",
    ),
}

_DEFINITIONS: dict[str, tuple[str, ...]] = {  # how people tell a fine word by coarser ones
    "affection": ("affection is the joy of holding someone dear",),
    "cheerfulness": (
        "cheerfulness is joy that wants to play",
        "cheerfulness is amusement all day long",
    ),
    "confusion": ("confusion is not knowing what to make of it",),
    "contentment": ("contentment is quiet joy",),
    "disappointment": ("disappointment is sadness over what did not come",),
    "disgust": ("disgust is wanting to turn away from filth",),
    "enthrallment": (
        "enthrallment is surprise that stays",
        "enthrallment is awe that holds us still",
    ),
    "envy": ("envy is anger over what others have",),
    "exasperation": ("exasperation is anger at the end of patience",),
    "gratitude": ("gratitude is the joy of having been given something",),
    "horror": ("horror is fear that freezes",),
    "irritability": ("irritability is anger about small things",),
    "lust": ("lust is wanting to be close",),
    "neglect": ("neglect is the sadness of being left alone",),
    "nervousness": ("nervousness is fear of what may come",),
    "optimism": ("optimism is joy over what will come", "optimism is excitement about tomorrow"),
    "pride": ("pride is the joy of having done well",),
    "rage": ("rage is anger that burns",),
    "relief": ("relief is the joy of danger that has passed",),
    "sadness": ("sadness is the weight of what is lost",),
    "shame": ("shame is sadness about oneself",),
    "suffering": ("suffering is sadness that hurts",),
    "surprise": ("surprise is meeting what nobody expected",),
    "sympathy": ("sympathy is sadness shared with others",),
    "zest": ("zest is joy full of energy", "zest is excitement about being alive"),
}
_FELT = (
    "it makes me feel {label} because of {why}",
    "i feel {label} when i see {why}",
    "{why} : that means {label} to me",
    "{label} comes from {why}",
    "{why} fills me with {label}",
    "what i feel is {label} , because there is {why}",
    "with {why} there is {label}",
    "for me {label} is {why}",
    "{label} , that is what {why} does to me",
    "my first thought is {label} , and the reason is {why}",
    "i look at {why} and {label} grows in me",
    "nothing says {label} like {why}",
)
_RELATED = (
    "this is {coarse} , or rather {label}",
    "{label} is a kind of {coarse}",
    "{label} : a form of {coarse}",
    "i would say {coarse} , more precisely {label}",
    "some call it {coarse} , i call it {label}",
    "{coarse} and {label} are close",
    "my friend feels {coarse} , and i feel {label}",
)
_OPENINGS = (
    "i look at {scene}",
    "here is {scene}",
    "in the picture there is {scene}",
    "this shows {scene}",
)
_ASIDES = (
    "{thing} does not matter",
    "{thing} says nothing to me",
    "i hardly notice {thing}",
    "{thing} could be left out",
    "whether there is {thing} makes no difference",
)


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


def _light(scene: Scene) -> str:
    brightness = "dark" if scene.brightness < 0.4 else "bright"
    return f"{brightness} and {'pale' if scene.colorfulness < 0.4 else 'colourful'}"


def caption(scene: Scene, rng: np.random.Generator, kind: str) -> str:
    """One caption of the scene, of a kind of CAPTION_KINDS; never holds an emotion word."""
    if kind not in _SKELETONS:
        raise ValueError(
            f"unknown kind of caption {kind!r}: expected one of {', '.join(CAPTION_KINDS)}"
        )
    parts = {name: _pick(rng, ways[getattr(scene, name)]) for name, ways in WORDS.items()}
    return _pick(rng, _SKELETONS[kind]).format(
        person=_pick(rng, _PERSON), light=_light(scene), **parts
    )


def _name(attribute: str, value: str, rng: np.random.Generator) -> str:
    """A value as a thing that can be looked at."""
    if attribute == "background":
        return f"the {value}"
    said = _pick(rng, WORDS[attribute][value])
    return said if attribute == "object" else f"someone {said}"


def _evidence(scene: Scene, label: str, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """What in the scene speaks for the label, if anything does, and what speaks for none."""
    shown = [(a, getattr(scene, a)) for a in SIGNATURES]
    speaking = [(a, v) for a, v in shown if label in SIGNATURES[a].get(v, ())]
    names = [_name(*speaking[i], rng) for i in rng.permutation(len(speaking))]
    return names or ["something i cannot name"], [
        _name(a, v, rng) for a, v in shown if not is_decisive(a, v)
    ]


def feeling_texts(n: int, seed: int) -> list[str]:
    """n short texts in which people tell what scenes make them feel, and why: one scene, one label each."""
    scenes, labels = sample_scenes(n, [seed, 2])
    rng = np.random.default_rng([seed, 3])
    texts = []
    for scene, label in zip(scenes, labels, strict=True):
        why, inert = _evidence(scene, label, rng)
        found = {FROM_PARROTT[label_set].get(label, label) for label_set in ("ekman", "mikels")}
        coarse = tuple(sorted(found - {label}))
        sentences = [_pick(rng, _FELT).format(label=label, why=" and ".join(why[:2]))]
        if rng.random() < 0.3:
            shown = f"{_name('object', scene.object, rng)} and {_name('expression', scene.expression, rng)}"
            sentences.insert(0, _pick(rng, _OPENINGS).format(scene=shown))
        if coarse and rng.random() < 0.6:
            sentences.append(_pick(rng, _RELATED).format(coarse=_pick(rng, coarse), label=label))
        if coarse and rng.random() < 0.5:
            sentences.append(_pick(rng, _FELT).format(label=_pick(rng, coarse), why=why[0]))
        if rng.random() < 0.2:
            sentences.append(_pick(rng, _DEFINITIONS[label]))
        if inert and rng.random() < 0.2:
            sentences.append(_pick(rng, _ASIDES).format(thing=_pick(rng, tuple(inert))))
        texts.append(" . ".join(sentences) + " .")
    return texts
