"""What a text says is felt: the emotions it asserts, and whether they go against a label.

Owns the words of feeling. Takes English text, gives label words of `emotions.LABEL_SETS`. Reads the text alone; what
it denies, supposes, asks or offers as a choice is not felt (`assertions`).
"""

import re
from functools import cache

from tinyemo.data.assertions import around, assertions, lexicon
from tinyemo.emotions import GROUPS, LABEL_SETS

# label (and others the words may stand for) -> words, "_" within a phrase. "~": an everyday word, which counts only
# where FRAME finds a feeling
WORDS: dict[str, str] = {
    "affection": """affection affectionate affectionately fondness fondly ~fond tenderness tenderly ~tender ~warmth
        adoration adoring adores""",
    "amusement": "amusement amused amusing amuses amuse hilarity hilarious",
    "anger": "anger angry angrily angered angers angering ~mad hostile hostility indignant indignation",
    "anger|disgust": "hate hatred hates hated hateful",
    "awe": "awe awed awestruck awe_inspiring awe_struck ~reverence",
    "cheerfulness": """cheerfulness cheerful cheerfully cheery ~cheer gleeful gleefully glee merriment merry merrily
        jolly jovial gaiety in_high_spirits""",
    "cheerfulness|joy": "happiness happy happily happier glad gladness",
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
    "envy": "envy envies envious enviously jealousy jealous jealously covetousness covetous resentment resentful",
    "exasperation": """exasperation exasperated exasperating frustration frustrated frustrating frustrates annoyance
        annoyed annoying annoys impatience impatient impatiently fed_up""",
    "irritability|exasperation": "irritated irritation irritating irritates",
    "irritability": """irritability irritable grumpiness grumpy grumpily crankiness cranky touchiness ~touchy
        bad_tempered in_a_bad_mood""",
    "excitement": """excitement excited excitedly exciting excites thrill thrilled thrilling thrills exhilaration
        exhilarated exhilarating""",
    "fear": """fear fears feared fearful fearfully fearing fearfulness afraid scared scary scares frightened frightening
        frightens spooky creepy eerie panic panicked panicking freaked_out""",
    "gratitude": """gratitude grateful gratefully gratefulness thankfulness thankful thankfully ~appreciation
        ~appreciative""",
    "horror": """horror horrors horrified horrifying horrifies horrific terror terrified terrifying terrifies dread
        dreads dreadful fright petrified""",
    "joy": """joy joyful joyfully joyous joyously delight delighted delightful elation elated bliss blissful jubilant
        jubilation euphoria euphoric overjoyed on_cloud_nine over_the_moon""",
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
# phrases that feel nothing
EVERYDAY = """pride_of_place pride_flag pride_flags pride_parade relief_map relief_worker relief_workers bas_relief
    in_relief sharp_relief stark_relief surprise_party surprise_visit surprise_gift surprise_guest horror_film
    horror_films horror_movie horror_movies horror_story love_letter love_letters love_song love_songs love_story
    love_seat i_love you_love we_love they_love would_love love_to love_it passion_fruit happy_birthday happy_hour
    happy_to all_the_rage a_shame_that what_a_shame what_a_pity pity_that sadly_, thankfully_, happily_, panic_button
    shock_wave shock_of guilty_pleasure i_'m_afraid afraid_not with_ease glad_to hate_to worry_about no_surprise
    feels_like feel_like"""

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

def _meanings() -> dict[str, tuple[tuple[str, ...], bool] | str]:
    table = {phrase.replace("_", " "): "" for phrase in EVERYDAY.split()}
    for labels, words in WORDS.items():
        for word in words.split():
            table[word.strip("~").replace("_", " ")] = (tuple(labels.split("|")), word.startswith("~"))
    return table


_LEXICON = lexicon(_meanings())


def _named(text: str) -> list[tuple[str, ...]]:
    """For each word of feeling that the text asserts its label, and others it may stand for."""
    tokens, hits = assertions(text, _LEXICON)
    return [hit.meaning[0] for hit in hits if not hit.meaning[1] or FRAME.search(around(tokens, hit))]


def felt(text: str) -> frozenset[str]:
    """The labels (of any of `emotions.LABEL_SETS`) whose words the text says are felt or evoked."""
    return frozenset(labels[0] for labels in _named(text))


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
    return frozenset(named[0] for named in _named(text) if not any(_akin(label, word) for word in named))


def contradicts(text: str, label: str) -> bool:
    """Whether the text names as felt an emotion other than the label. ValueError: not a label."""
    return bool(contradictions(text, label))
