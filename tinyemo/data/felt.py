"""What a text says is felt: the emotions it asserts, and whether they go against a label.

Owns the words of feeling and the reading of assertion: what a sentence denies, supposes, compares with, asks or offers
as a choice, it does not assert. Takes English text, gives label words of `emotions.LABEL_SETS`. Reads words and their
order alone. `assertions` serves whoever looks for words of another kind.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from tinyemo.emotions import GROUPS, LABEL_SETS

# labels -> their words, "_" within a phrase. "~": a word of every day, which counts only where FRAME finds a feeling
WORDS: dict[str, str] = {
    "affection": """affection affectionate affectionately fondness fondly ~fond tenderness tenderly ~tender ~warmth
        adoration adoring adores""",
    "amusement": "amusement amused amusing amuses amuse hilarity hilarious",
    "anger": "anger angry angrily angered angers angering ~mad hostile hostility indignant indignation",
    "anger|disgust": "hate hatred hates hated hateful",
    "awe": "awe awed awestruck awe_inspiring awe_struck ~reverence",
    "cheerfulness": """cheerfulness cheerful cheerfully cheery ~cheer gleeful gleefully glee merriment merry merrily
        jolly jovial gaiety in_high_spirits happiness""",
    "confusion": """confusion confused confusing confusedly bewilderment bewildered bewildering puzzlement puzzled
        puzzling baffled baffling perplexed perplexing perplexity ~uncertainty ~uncertain""",
    "contentment": """contentment contented contentedly at_ease at_peace ~content ~satisfaction ~satisfied ~serenity
        ~serene ~ease ~peaceful ~peace ~tranquil ~tranquility ~calm ~relaxed""",
    "disappointment": """disappointment disappointed disappointing disappoints disappoint dismay dismayed let_down
        disillusionment disillusioned ~letdown""",
    "disgust": """disgust disgusted disgusting disgusts revulsion revolted revolting repulsion repulsed repulsive
        repelled loathing loathes nausea nauseated nauseating sickening sickened queasy grossed_out""",
    "enthrallment": """enthrallment enthralled enthralling fascination fascinated fascinating captivation captivated
        captivating enchantment enchanted mesmerized mesmerizing spellbound ~wonder wonderment""",
    "envy": """envy envies envious enviously jealousy jealous jealously covetousness covetous resentment resentful""",
    "exasperation": """exasperation exasperated exasperating frustration frustrated frustrating frustrates annoyance
        annoyed annoying annoys impatience impatient impatiently fed_up""",
    "irritability|exasperation": "irritated irritation irritating irritates",
    "irritability": """irritability irritable grumpiness grumpy grumpily crankiness cranky touchiness ~touchy
        bad_tempered in_a_bad_mood""",
    "excitement": """excitement excited excitedly exciting excites thrill thrilled thrilling thrills exhilaration
        exhilarated exhilarating""",
    "fear": """fear fears feared fearful fearfully fearing fearfulness afraid scared scary scares frightened
        frightening frightens spooky creepy eerie panic panicked panicking freaked_out""",
    "gratitude": """gratitude grateful gratefully gratefulness thankfulness thankful thankfully ~appreciation
        ~appreciative""",
    "horror": """horror horrors horrified horrifying horrifies horrific terror terrified terrifying terrifies dread
        dreads dreadful fright petrified""",
    "joy": """joy joyful joyfully joyous joyously happy happily happier glad gladness delight delighted delightful
        elation elated bliss blissful jubilant jubilation euphoria euphoric overjoyed on_cloud_nine over_the_moon""",
    "love": "love loving lovingly ~loved in_love",
    "lust": "lust lustful lustfully lusting desire desires ~desired passion passionate passionately craving ~longing",
    "neglect": """neglect ~neglected loneliness lonely lonesome ~abandonment ~abandoned ~isolation ~isolated forsaken
        unloved left_alone""",
    "nervousness": """nervousness nervous nervously anxiety anxious anxiously worry worried worries worrying unease
        uneasy uneasily uneasiness ill_at_ease apprehension apprehensive jittery on_edge ~tense""",
    "optimism": "optimism optimistic optimistically ~hope hopeful hopefulness ~confidence ~confident",
    "pride": "pride proud proudly triumph triumphant triumphantly ~dignity ~accomplishment ~accomplished",
    "rage": """rage rages enraged fury furious furiously wrath wrathful outrage outraged livid irate infuriated
        infuriating seething""",
    "relief": "relief relieved reassurance reassured reassuring ~comfort ~comforted ~respite",
    "sadness": """sadness sad sadly sadder sadden saddened saddening saddens sorrow sorrowful sorrowfully sorrows
        unhappiness unhappy unhappily melancholy melancholic grief grieving grieves mourning mournful mournfully
        heartbroken heart_broken heartbreak heartbreaking depressed depressing depression dejected dejection""",
    "sadness|suffering": """misery miserable miserably despair despairing desperation hopelessness hopeless distress
        distressed distressing""",
    "shame": """shame ashamed shameful shamefully shamefaced guilt guilty embarrassment embarrassed embarrassing
        humiliation humiliated humiliating remorse remorseful""",
    "suffering": """suffering suffers suffer suffered pain pained painful painfully agony agonized agonizing anguish
        anguished torment tormented ~hurt ~hurting in_pain""",
    "surprise": """surprise surprised surprises surprising astonishment astonished astonishing amazement amazed shock
        shocked shocking startled startling stunned dumbfounded flabbergasted""",
    "sympathy": """sympathy sympathetic sympathetically sympathize sympathizes compassion compassionate pity pities
        pitiful empathy empathetic empathize ~sorry""",
    "zest": "zest zestful enthusiasm enthusiastic enthusiastically ~liveliness ~vigor",
}
EVERYDAY = """pride of place|pride flag|pride flags|pride parade|relief map|relief worker|relief workers|bas relief|
in relief|sharp relief|stark relief|surprise party|surprise visit|surprise gift|surprise guest|horror film|horror films|
horror movie|horror movies|horror story|love letter|love letters|love song|love songs|love story|love seat|i love|
you love|we love|they love|would love|love to|love it|passion fruit|happy birthday|happy hour|happy to|all the rage|
a shame that|what a shame|what a pity|pity that|sadly ,|thankfully ,|happily ,|panic button|shock wave|guilty pleasure|
in pain staking|i 'm afraid|afraid not|with ease|glad to|hate to|worry about|no surprise|feels like|feel like""".replace("\n", "")

# what stands about an everyday word (@) when it speaks of feeling
_LEAD = r"(?:an?|the|of|in|by|some|pure|deep(?:ly)?|great|such|so|very|quite|really|rather|truly|simply|almost|more|" \
        r"most|genuine|quiet|strong|his|her|their|and|with|left|being|completely|utterly|too|all|this)"
FRAME = re.compile(
    r"\b(?:feel\w*|felt|sense of|evok\w+|emotions?|mood|atmosphere|express\w*|convey\w*|fill\w* (?:\w+ ){0,2}with|"
    r"full of|overcome with|radiat\w+|inspir\w+|stir\w*|suggests?|speaks? of|tears of|smiles? (?:of|with)|look\w*|"
    r"seems?|appears?|is|are|was|were|be|being|'s|makes? (?:\w+ ){1,2})"
    rf"(?: {_LEAD})* @|^(?:{_LEAD} )*@ (?:fills|floods|radiates|hangs|washes|wells)\b|"
    r"@ (?:is (?:felt|evoked|conveyed|written)|smile|expression|grin|face)\b")

# the Parrott labels under coarser ones; in Parrott's own tree love is made of these two
_GROUPS = {**GROUPS, "unbiasedemo": {"love": ("affection", "lust")}}

# what opens, closes or bends the reach of a denial, a supposition, a comparison or a list of choices
_NEAR = ("visible|present|there|here|shown|seen|depicted|pictured|to be seen|to be found|in sight|part of the picture|"
         "part of the scene|in the picture|in the scene|in the image|in the photo|in this picture|in this image")
_KINDS: dict[str, str] = {
    "deny": "no|not|never|without|neither|nor|nobody|none|nothing|rather than|instead of|far from|free of|free from|"
            "lack of|lacks|lacking|absence of|devoid of|no longer|hardly|scarcely|as opposed to|unlike|except|"
            "except for|anything but|other than|in place of|less|apart from|fails to|refuses to",
    "suppose": "if|as if|as though|imagine|imagines|imagining|suppose|supposing|whether|may be|may have|perhaps|maybe|"
               "possibly|wish|wishes|wished|wishing|dream of|dreams of|dreaming of|dreamed of|dreamt of|think of|"
               "thinks of|thinking of|memory of|memories of|waiting for|waits for|mistaken for|compared to|"
               "compared with|than|expect|expects|expected|expecting|wants|want|longs for|remembers|remembering|misses|"
               "missing|hopes for|hoping for|looks for|looking for|searching for|searches for|afraid of a|ought to|about to|invites|invite|inviting",
    "would": "would|might|could be|could have|could almost be|should have been",
    "like": "like|resembles|resemble|resembling|reminiscent of|reminds me of|reminds us of|reminds one of|"
            "reminds you of|remind us of|symbol of|metaphor for|similar to|worthy of",
    "list": "labels :|label :|options :|choices :|candidates :|emotions :|categories :|choose|select from|pick from|"
            "one of the following|question :|[",
    "close": "but|yet|though|although|however|while|whereas|because|since|so|instead|which|who|when|where|why|how|"
             ";|:|(|)|]|—|–|-",
    "place": "in|on|at|beside|behind|near|under|by|against|over|across|along|next|around|amid|among|before|above|below|"
             "beneath|inside|outside|during|through|throughout|with|is|are|has|holds|wears|carries|looks|shows|seems|can",
    "": "not only|not just|not merely|not simply|no doubt|no wonder|no matter|not to mention|nothing but|no less|"
        "nothing more than|nothing less than|can not help but|can not help|could not help|can not stop|not without|"
        "not clear|nothing says|none other than|nothing if not|such as|if anything|things like|as far as|as well as|as long as|as soon as|no mistaking|no denying",
    "back": "|".join([f"{verb} not {near}" for verb in ("is", "are") for near in _NEAR.split("|")])
            + "|is absent|are absent|is missing|are missing|nowhere|is gone|are gone",
    "stop": ".|!|\n|answer :", "ask": "?", "comma": ",", "and": "and", "as": "as",
}
CUES = {phrase: kind for kind, phrases in _KINDS.items() for phrase in phrases.split("|")}
_DEFINITE = {"the", "this", "that", "these", "those", "his", "her", "their", "its"}
_COMPARED = {"pale", "white", "red", "cold", "hot", "quiet", "still", "bright", "dark", "big", "light", "free", "cool"}
_TOKEN = re.compile(r"[a-z]+|'(?:s|re|m|ll|ve|d)\b|[.!?;:,()\[\]\n—–]|(?<= )-+(?= )")
_LIKENESS = re.compile(r"\w+(?<!and)-(?:like|shaped|sized|free|white|pale)\b")
_LIST_GOES_ON = re.compile(r"(?:(?!(?:is|are|it|he|she|they|the|this|there|just|only|but|who|and|with|has) )"
                           r"(?:[a-z]+|,) ){1,9}?n?or ")

Lexicon = dict[str, list[tuple[tuple[str, ...], bool, object]]]  # first word -> (all words, is it a cue, meaning)


class Hit(NamedTuple):
    """A phrase of a lexicon that a text asserts: tokens[start:end]."""

    start: int
    end: int
    meaning: object


def lexicon(meanings: Mapping[str, object]) -> Lexicon:
    """Phrases (lower case, American spelling, no hyphens) and the cues of assertion, ready to be looked up.

    An empty meaning makes a phrase that is passed over: it hides the words within it.
    """
    table: Lexicon = {}
    for is_cue, entries in ((True, CUES), (False, meanings)):
        for phrase, meaning in entries.items():
            words = tuple(phrase.split(" "))
            table.setdefault(words[0], []).append((words, is_cue, meaning))
    for entries in table.values():
        entries.sort(key=lambda entry: (-len(entry[0]), entry[1]))  # the longest first, the caller's before the cues
    return table


def assertions(text: str, table: Lexicon) -> tuple[list[str], list[Hit]]:
    """The tokens of a text (lower case, signs included) and those phrases of the lexicon that it asserts, in order.

    A denial reaches to the end of its clause, or to the next preposition once it has met a phrase ("no ghost on the
    beach" has a beach); a supposition spares what has a definite article ("as if a snake were in his office" has an
    office); a question asserts nothing.
    """
    text = text.lower().replace("’", "'").replace("can't", "cannot").replace("n't", " not").replace("cannot", "can not")
    tokens = _TOKEN.findall(_LIKENESS.sub(" ", text.replace("colour", "color").replace("grey", "gray")))
    asserted: list[Hit] = []
    sentence: list[Hit] = []  # of the sentence that is being read
    clause = position = met = 0  # where the clause began; where we are; phrases met since the scope opened
    scope = opener = ""
    while position < len(tokens):
        for words, is_cue, meaning in table.get(tokens[position], ()):  # noqa: B007
            if len(words) == 1 or tuple(tokens[position:position + len(words)]) == words:
                break
        else:
            position += 1
            continue
        start, position = position, position + len(words)
        if not is_cue or not meaning:
            if meaning:
                met += 1
                spared = tokens[start - 1] in _DEFINITE and (
                    scope in ("suppose", "would")
                    or scope == "deny" and met > 1 and tokens[start - 2] not in ("or", "nor", "and", ","))
                if not scope or spared:
                    sentence.append(Hit(start, position, meaning))
            continue
        if meaning == "as":
            compares = tokens[start - 2:start - 1] == ["as"] or tokens[max(start - 1, 0)] in _COMPARED
            meaning = "suppose" if compares else "" if tokens[start + 2:start + 3] == ["as"] else "close"
        if meaning in ("stop", "ask"):
            asserted += sentence if meaning == "stop" else []
            sentence, scope, clause = [], "", position
        elif meaning in ("deny", "suppose", "would", "like", "list"):
            if meaning == "would":  # "a rose would help": neither what follows nor an indefinite subject
                sentence = [hit for hit in sentence if hit.start < clause or tokens[hit.start - 1] not in ("a", "an")]
            if scope not in ("list", "deny"):
                scope, opener = meaning, words[0]
            met = 0
        elif meaning == "back":
            sentence = [hit for hit in sentence if hit.start < clause]
        elif scope == "list":
            scope = "" if words[0] == "]" else scope
        elif meaning == "close" or (meaning == "place" and met and scope in ("deny", "like")):
            scope, clause = "", position
        elif meaning == "comma":
            ahead = " ".join(tokens[position:position + 12]) + " "
            if not (scope == "deny" and _LIST_GOES_ON.match(ahead)):
                scope, clause = "", position
        elif meaning == "and":
            upcoming = tokens[position] if position < len(tokens) else ""
            joined = {"deny": opener != "not" and upcoming in table, "like": upcoming in ("a", "an"), "suppose": True,
                      "would": True}
            if not joined.get(scope):
                scope, clause = "", position
    return tokens, asserted + sentence


def around(tokens: list[str], hit: Hit, reach: int = 8) -> str:
    """The words about a hit within its sentence, with "@" in its place."""
    before, after = tokens[max(hit.start - reach, 0):hit.start], tokens[hit.end:hit.end + reach]
    for sign in ".!?;\n":
        before = before[len(before) - before[::-1].index(sign):] if sign in before else before
        after = after[:after.index(sign)] if sign in after else after
    return " ".join([*before, "@", *after])


def _meanings() -> dict[str, tuple[frozenset[str], bool]]:
    table = dict.fromkeys(EVERYDAY.split("|"), "")
    for labels, words in WORDS.items():
        for word in words.split():
            table[word.strip("~").replace("_", " ")] = (frozenset(labels.split("|")), word.startswith("~"))
    return table


_LEXICON = lexicon(_meanings())


def _named(text: str) -> list[frozenset[str]]:
    """For each word of feeling that the text asserts the labels it may stand for."""
    tokens, hits = assertions(text, _LEXICON)
    return [hit.meaning[0] for hit in hits if not hit.meaning[1] or FRAME.search(around(tokens, hit))]


def felt(text: str) -> frozenset[str]:
    """The labels (of any of `emotions.LABEL_SETS`) whose words the text says are felt or evoked."""
    return frozenset().union(*_named(text))


@cache
def _akin(one: str, other: str) -> bool:
    """Whether two labels can both be true: the same, coarser or finer, or coarse words of two sets that overlap."""
    fine, fine_too = ({label for groups in _GROUPS.values() for label in groups.get(word, ())} for word in (one, other))
    rivals = any(one in labels and other in labels for labels in LABEL_SETS.values())
    return one == other or other in fine or one in fine_too or (not rivals and not fine.isdisjoint(fine_too))


def contradictions(text: str, label: str) -> frozenset[str]:
    """The labels the text names as felt that are neither the label nor a coarser or finer word for it."""
    if not any(label in labels for labels in LABEL_SETS.values()):
        raise ValueError(f"unknown label {label!r}: expected a word of {', '.join(LABEL_SETS)}")
    against = [named for named in _named(text) if not any(_akin(label, word) for word in named)]
    return frozenset().union(*against)


def contradicts(text: str, label: str) -> bool:
    """Whether the text names as felt an emotion other than the label. ValueError: not a label."""
    return bool(contradictions(text, label))
