"""Label sets, taxonomies and the texts that ground a label: data, and the few lines that look it up.

Owns: the label sets of TinyEmo (Ekman 6, Mikels 8, Parrott 25, UnbiasedEmo's 6), the maps from Parrott's to
the coarser two, grounding templates. Takes label words, gives label words. A label is always its word, never
a bare number: numbers exist only as positions in one label set.

Sources: Panda et al. 2018 (WEBEmo, the 25 Parrott classes and their grouping); TinyEmo (arXiv
2410.07062) for the map to Mikels' eight and the grounding texts.
"""

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "ekman": ("anger", "disgust", "fear", "joy", "sadness", "surprise"),
    "unbiasedemo": ("anger", "fear", "joy", "love", "sadness", "surprise"),
    "mikels": (
        "amusement",
        "anger",
        "awe",
        "contentment",
        "disgust",
        "excitement",
        "fear",
        "sadness",
    ),
    "parrott": (
        "affection",
        "cheerfulness",
        "confusion",
        "contentment",
        "disappointment",
        "disgust",
        "enthrallment",
        "envy",
        "exasperation",
        "gratitude",
        "horror",
        "irritability",
        "lust",
        "neglect",
        "nervousness",
        "optimism",
        "pride",
        "rage",
        "relief",
        "sadness",
        "shame",
        "suffering",
        "surprise",
        "sympathy",
        "zest",
    ),
}

_SAD = ("sadness", "disappointment", "shame", "neglect", "suffering", "sympathy")
_ANGRY = ("exasperation", "envy", "irritability", "rage")
_AFRAID = ("horror", "nervousness")

# coarse label -> the Parrott labels that fall under it; confusion and lust fall under none
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "ekman": {
        "anger": _ANGRY,
        "disgust": ("disgust",),
        "fear": _AFRAID,
        "joy": (
            "cheerfulness",
            "affection",
            "pride",
            "zest",
            "contentment",
            "gratitude",
            "optimism",
            "relief",
        ),
        "sadness": _SAD,
        "surprise": ("surprise", "enthrallment"),
    },
    "mikels": {
        "amusement": ("cheerfulness",),
        "anger": _ANGRY,
        "awe": ("surprise", "enthrallment"),
        "contentment": ("contentment", "affection", "pride", "gratitude", "relief"),
        "disgust": ("disgust",),
        "excitement": ("zest", "optimism"),
        "fear": _AFRAID,
        "sadness": _SAD,
    },
    "parrott": {label: (label,) for label in LABEL_SETS["parrott"]},
}

# label set -> {Parrott label: its label in that set}; a Parrott label without a place is absent
FROM_PARROTT: dict[str, dict[str, str]] = {
    name: {fine: coarse for coarse, members in groups.items() for fine in members}
    for name, groups in GROUPS.items()
}

# Three other words for each of Parrott's labels; none is a label of any set, so that none is trained in secret
SYNONYMS: dict[str, tuple[str, str, str]] = {
    "affection": ("fondness", "tenderness", "warmth"),
    "cheerfulness": ("happiness", "merriment", "glee"),
    "confusion": ("bewilderment", "puzzlement", "uncertainty"),
    "contentment": ("satisfaction", "serenity", "ease"),
    "disappointment": ("letdown", "dismay", "disillusionment"),
    "disgust": ("revulsion", "repulsion", "loathing"),
    "enthrallment": ("fascination", "captivation", "enchantment"),
    "envy": ("jealousy", "covetousness", "resentment"),
    "exasperation": ("frustration", "annoyance", "impatience"),
    "gratitude": ("thankfulness", "appreciation", "gratefulness"),
    "horror": ("terror", "dread", "fright"),
    "irritability": ("grumpiness", "crankiness", "touchiness"),
    "lust": ("desire", "passion", "craving"),
    "neglect": ("abandonment", "isolation", "loneliness"),
    "nervousness": ("anxiety", "worry", "unease"),
    "optimism": ("hope", "hopefulness", "confidence"),
    "pride": ("triumph", "dignity", "accomplishment"),
    "rage": ("fury", "wrath", "outrage"),
    "relief": ("reassurance", "comfort", "respite"),
    "sadness": ("sorrow", "unhappiness", "melancholy"),
    "shame": ("guilt", "embarrassment", "humiliation"),
    "suffering": ("pain", "agony", "anguish"),
    "surprise": ("astonishment", "amazement", "shock"),
    "sympathy": ("compassion", "pity", "empathy"),
    "zest": ("enthusiasm", "liveliness", "vigor"),
}

# Grounding texts: what stands for a label before it is embedded. The first is TinyEmo's default, the
# second its text for the Abstract paintings, the others those it reports to have tried.
TEMPLATES: dict[str, str] = {
    "word": "{emotion}",
    "evoking-viewers": "a scene evoking {emotion} to viewers",
    "expressing": "an image expressing {emotion} emotion",
    "emotion": "{emotion} emotion",
    "scene": "a {emotion} scene",
    "evoking": "a scene evoking {emotion}",
}


def labels_of(label_set: str) -> tuple[str, ...]:
    """The words of a label set, in their fixed order. ValueError names the sets that exist."""
    if label_set not in LABEL_SETS:
        raise ValueError(
            f"unknown label set {label_set!r}: expected one of {', '.join(LABEL_SETS)}"
        )
    return LABEL_SETS[label_set]
