"""Rationales: why a scene evokes an emotion, in sentences that name its evidence and what that means to people.

Takes a scene's attributes and a label of any set that Parrott's 25 map to; gives a rationale or a conversation.
Only evidence is named (`evidence.evidence`: what raises the label's log-odds), the heaviest first, each piece
with a clause or a sense that ties it to the emotion (_LEXICON), no meaning twice; of emotions only the label itself.

A *skeleton* is a sentence with its slots unfilled; each family of them is the product of ways to begin, to bring
evidence in, to link it and to give the reason. One in ten is held out of training text, by a rule that needs no list
(`is_held_out`); families of 60 and more give it enough. Slots of the i-th piece: {the1} "the rose", {a1} "a rose",
{why1} a clause, {sense1} a noun phrase, and {s1}, {is1}, {it1}, which agree with it; besides {label}, {list} of all.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, product
from zlib import crc32

import numpy as np

from emoscenes.evidence import evidence, weight_of_evidence

# A row for each decisive value, its parts set off by "; ": the value and its names, the plainest first; then labels and
# what it means to people who feel them, each meaning as clause = sense, "*" for labels without a part of their own; ~
# is the value. Equal senses are one meaning, which no text gives twice, be it of two values. A scene has one person, so
# names speak of a face or a pose; nothing is told that another scene may show.
_LEXICON = """
rose: rose | red rose | single rose; *: ~ is given to someone who is held dear = holding someone dear | ~ tells someone
  how much they matter = closeness; lust: ~ is a sign of passion = passion | ~ is what couples give each other = couples
  who long for each other; sympathy sadness: people bring ~ to those who lost a friend = the loss of a friend | ~ is
  laid down for those who are missed = a last goodbye
trophy: trophy | golden trophy | winner's trophy; *: ~ is the reward for hard work = hard work that has paid off | ~
  shows that someone has won = a win; envy anger: many want ~ but only one wins it = a prize that many want | it is hard
  to see others win ~ = a win that went to someone else
gift: gift | wrapped gift | gift with a ribbon; *: anything may be inside ~ = something hidden | ~ keeps its secret
  until the last moment = a secret about to come out; gratitude contentment: ~ shows that someone has been thought of =
  kind thoughts | ~ asks for nothing in return = the kindness of another person
balloons: balloons | three balloons | balloons on strings; *: balloons belong to parties and birthdays = a birthday |
  balloons are there when people celebrate = a party | children play with balloons = play and games
lifebuoy: lifebuoy; *: ~ brings people back to safety = safety | ~ means that help has come = help that came in time;
  suffering sadness: those who may drown need ~ = a fight for life | ~ is for people who go under = going under
sunflower: sunflower | yellow sunflower | big sunflower; *: ~ grows tall from one small seed = growth | ~ turns its head
  to the light = looking up | ~ promises a good summer = good things to come
firework: firework | bursting firework | firework with many sparks; *: ~ is a burst of energy = a burst of energy | ~
  marks the best moments of a year = a great moment; enthrallment surprise awe: nobody can look away from ~ = a sight
  that holds people still | ~ makes everyone fall silent = a great show
teacup: teacup | hot teacup | steaming teacup; *: ~ goes with a quiet hour = a quiet hour | ~ is part of a rest = rest
wilted flower: wilted flower | drooping, wilted flower; *: ~ will not come back to life = something that is over | ~ has
  lost what made it beautiful = the end of something beautiful; neglect: a flower wilts when nobody waters it = missing
  care | ~ shows that nobody thought of it = being forgotten
broken heart: broken heart | pink broken heart; *: a heart breaks when someone is lost = a loss | ~ is slow to heal = a
  wound that is slow to heal; shame: a heart can break over something that cannot be undone = a mistake that cannot be
  undone | a heart can break over one's own mistakes = one's own mistakes
alarm clock: alarm clock | blue alarm clock; *: ~ pulls people out of their dreams = too little rest | ~ rings when
  nobody wants to hear it = noise; confusion: ~ wakes people before they know where they are = not knowing where one is
  | ~ makes heads spin = a muddled head
bonfire: bonfire | burning bonfire | bonfire of logs; *: ~ burns all that comes near = something that burns inside | ~
  is hard to hold back = heat that cannot be held back
snake: snake | coiled snake | green snake; *: ~ may bite at any moment = a bite that may come | ~ makes people watch its
  every move = having to be on guard | nobody can tell what ~ will do next = hidden danger
ghost: ghost | white ghost | floating ghost; *: ~ is a dead person who has come back = the dead | ~ belongs to the worst
  dreams = the worst of dreams | nobody can hide from ~ = death coming close
trash can: trash can | full trash can; *: a full trash can smells bad = a foul smell | nobody wants to touch ~ = dirt |
  flies feed on what rots in ~ = rotting food
smiling: smile | smiling face | broad smile; *: people smile when something good comes their way = good news | ~ says
  that all is well = a world where all is well | ~ shows that someone likes what is happening = something welcome;
  affection: people smile at those who are dear to them = holding someone dear | ~ tells someone that they matter =
  closeness; gratitude: people smile when someone has been good to them = the kindness of another person | ~ is a way to
  say thank you = saying thank you; optimism: people smile when they expect good things = good things to come | ~ shows
  trust in what is coming = trust in what is coming; pride: people smile when they have done something well = work well
  done | ~ shows that hard work has paid off = hard work that has paid off; relief: people smile when a burden falls
  away = a burden that is gone | ~ comes back once danger is over = a danger that is over; lust: ~ is often shared by
  grown couples = the desire of grown couples for each other | people smile at those they long for = longing
crying: crying face | weeping face | tears on the face; *: people cry when they have lost something = a loss | tears
  come when something is too heavy to bear = a heavy burden; neglect: people cry when nobody looks after them = missing
  care | tears come when nobody is there = being left behind; shame: people cry when they cannot forgive themselves = a
  mistake that cannot be undone | tears come when someone wants to disappear = wanting to disappear; sympathy: a crying
  person makes others want to help = someone who needs help | nobody stays cold when someone cries = the wish to help
scowling: scowl | scowling face | frowning face; *: people scowl when something goes against them = a bad mood | ~ warns
  others to keep away = a quarrel | ~ shows that someone has had enough = someone who has had enough; envy: people scowl
  at those who have what they want = wanting what others have | ~ is aimed at those who got more = having got less than
  others; exasperation: people scowl when nothing works as it should = things that do not work | ~ shows that someone
  has tried too often = having tried too often; rage: ~ shows that someone is about to explode = an outburst | people
  scowl when they want to strike back = a fight about to begin
wide-eyed: wide eyes | wide-eyed face | wide-eyed stare; *: eyes go wide when danger is near = danger close by | wide
  eyes cannot turn away from a threat = a threat | people stare when they see the worst coming = the worst to come
grimacing: grimace | grimacing face; *: people grimace at a bad taste = a bad taste | people grimace when something
  makes them sick = a sick stomach | ~ pushes something foul away = something foul
open-mouthed: open mouth | open-mouthed face | gasping face; *: the mouth falls open at something grand = something
  grand | people forget to close their mouth when they cannot look away = a sight that holds people still; surprise:
  people gasp when something happens out of the blue = something sudden | the mouth falls open when nobody saw it coming
  = something that nobody saw coming; confusion: the mouth hangs open when someone cannot make sense of things = a
  riddle | people gape when they do not know what to think = a question without an answer
beach: beach | sandy beach | beach in the background; *: ~ is where people go to rest and play = free time | people
  spend their best weeks at ~ = holidays; affection: people go to ~ with those they hold dear = time with those who are
  dear | families meet at ~ in their free time = a family that is together; gratitude: people give thanks for time at ~
  = a good time to give thanks for | ~ gives itself to all and asks for nothing = the kindness of nature; relief: people
  can breathe again at ~ = freedom | people leave their burdens behind at ~ = a burden that is gone; optimism: all
  things seem possible at ~ = a new start | ~ lets people look far ahead = looking far ahead
graveyard: graveyard | old graveyard | graveyard in the background; *: ~ is where people say their last goodbye = a last
  goodbye | people go to ~ to be near those they have lost = those who are gone; horror nervousness fear: ~ reminds
  people that they will die = death | nobody can tell what moves in ~ = hidden danger
mountain: mountain | high mountain | mountain in the background; *: ~ is greater than anything people can build = the
  greatness of nature | ~ makes people look very small = something bigger than people; surprise: ~ is higher than anyone
  expects = unexpected greatness | ~ takes people's breath away = a breathtaking sight; pride contentment: only those
  who work hard reach the top of ~ = hard work that has paid off | few people reach the top of ~ = a goal that was
  reached; confusion: people lose their way on ~ = losing the way | all paths on ~ look alike = not knowing where one is
dump: dump | dump full of waste | dump in the background; *: ~ shows what people have ruined = ruin | ~ is what careless
  people leave behind = careless people; disgust: ~ smells of things that rot = a foul smell | people turn away from ~ =
  dirt; neglect: ~ is where unwanted things go = being thrown away | nobody keeps ~ clean = missing care
bedroom: bedroom | bedroom in the background; *: people shut themselves in ~ when they want to see nobody = wanting to
  be alone | people hide in ~ when things go wrong = hiding from others; contentment: ~ is a place of rest = rest | in ~
  people can do as they like = a place of one's own; envy: not everyone has ~ of their own = wanting what others have |
  people lie awake in ~ over what others have = hours without sleep; irritability anger: nobody wants to be disturbed in
  ~ = rest that is disturbed | nobody likes to be woken in ~ = too little rest; lust: ~ is often shared by a couple =
  the desire of grown couples for each other | ~ lets couples be by themselves = couples who want to be by themselves;
  shame: ~ is where people hide from others = hiding from others | ~ keeps what nobody should know = secrets
jumping: jump | jump into the air | leap into the air; *: people jump when they are full of energy = a burst of energy |
  ~ shows that someone cannot keep still = energy that has to come out; pride: people jump when they have won = a win |
  ~ shows that a goal was reached = a goal that was reached; rage: people jump up when they are about to burst = force
  that has to come out | ~ can start a fight = a fight about to begin; surprise awe: people jump when something sudden
  happens = something sudden | the body jumps before the mind understands = a jolt
crouching: crouch | crouching pose; *: people crouch when they have no strength left = having no strength left | people
  crouch when a burden is too heavy = a heavy burden; neglect: people crouch when nobody helps them = help that does not
  come | people crouch when they are left out = being left behind; disgust: people crouch when their stomach turns = a
  sick stomach | ~ keeps the body away from something foul = something foul; nervousness: people crouch to keep out of
  danger = danger close by | someone who crouches is ready to flee = being ready to flee; shame: people crouch to hide
  from the eyes of others = hiding from others | people crouch when they want to disappear = wanting to disappear
"""
_PLURAL = {"balloons", "tears", "eyes"}


def _some(name: str) -> str:
    """A name with the indefinite article that it takes."""
    return name if _PLURAL & set(name.split()) else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


NAMES: dict[str, list[str]] = {}  # value -> names
MEANINGS: dict[
    tuple[str, str], list[tuple[str, str]]
] = {}  # (value, label or "*") -> (clause, sense) each
for _row in re.split(r"\n(?=\S)", _LEXICON.strip()):
    (_value, _names), *_parts = (part.split(": ") for part in " ".join(_row.split()).split("; "))
    NAMES[_value] = _names.split(" | ")
    for _labels, _said in _parts:
        _ways = [
            tuple(way.split(" = "))
            for way in _said.replace("~", _some(NAMES[_value][0])).split(" | ")
        ]
        MEANINGS |= {(_value, _label): _ways for _label in _labels.split()}

# Parts of sentences: "|" between ways to put each; {s1} ends a verb of which the first piece is the subject
_EVOKE = (
    "evoke{s1} {label}|stir{s1} {label}|call{s1} up {label}|bring{s1} about {label}|awaken{s1} {label}|"
    "lead{s1} to {label}|point{s1} to {label}|give{s1} rise to {label}|make{s1} people feel {label}|"
    "fill{s1} the viewer with {label}|evoke{s1} a feeling of {label}|leave{s1} a feeling of {label}|"
    "create{s1} a feeling of {label}"
)
_ADD = (
    "add{s1} to the {label}|make{s1} the {label} stronger|deepen{s1} the feeling of {label}|lead{s1} to {label} too"
    "|strengthen{s1} the feeling of {label}|point{s1} the same way|support{s1} this feeling|feed{s1} this feeling"
)
_MEAN = "stand{s1} for |speak{s1} of |tell{s1} of |hint{s1} at |remind{s1} people of |make{s1} people think of "
_EVOKES, _ADDS = (verbs.replace("{s1}", "s") for verbs in (_EVOKE, _ADD))
_EVOKE_BOTH, _MEAN2 = _EVOKE.replace("{s1}", ""), _MEAN.replace("{s1}", "{s2}")
_WHY = ": {why1}|, since {why1}|, for {why1}| because {why1}"
_WHYS = (
    ": {why1}, and {why2}|, since {why1}, and {why2}|, for {why1}, and {why2}|: {why1}, while {why2}|"
    " because {why1} and because {why2}"
)
_WHERE = "|here, |in this scene, |above all, "
_PLACE = "| here| in this scene| in this picture"
_AFTER = "|after all, |the reason is simple: |this is because |that is because |the reason is that "
_MOREOVER = "|besides, |on top of that, |moreover, |what is more, |in addition, "
_FEELING = "the {label} |the {label} here |the {label} in this scene |the feeling of {label} "
_FROM = "comes from |begins with |grows out of |has to do with |is tied to |rests on "
_PAIR = "{the1} and {the2} |both {the1} and {the2} |{the1} and {the2} together "
_ALSO = (
    "then there {is1} {a1}|there {is1} also {a1}|the scene also shows {a1}|we also see {a1}|one also sees {a1}|"
    "the picture also shows {a1}|in addition, there {is1} {a1}|besides, we see {a1}"
)
_THEN = "then |in that case, |without {the1}, |if {the1} were gone, |were it not for {the1}, |with {the1} gone, "


def _family(*parts: str) -> list[str]:
    """All sentences that take one of each part in turn."""
    return ["".join(chosen) + "." for chosen in product(*(part.split("|") for part in parts))]


FAMILIES: dict[str, list[list[str]]] = {  # role of a sentence -> families of skeletons
    "lead": [  # what one piece evokes, and why
        _family(_WHERE, "{the1} ", _EVOKE, _WHY),
        _family("{the1} ", _MEAN, "{sense1}", ", which |, and that |, and this thought ", _EVOKES),
        _family("because |since |as ", "{why1}, {the1} ", _EVOKE, _PLACE),
        _family(
            "{why1}, ", "so |and so |and that is why |which is why ", "{the1} ", _EVOKE, _PLACE
        ),
        _family(_FEELING, _FROM, "{the1}", _WHY),
        _family(_WHERE, "it is {the1} that ", _EVOKE, _WHY),
        _family("what ", _EVOKES, _PLACE, " is {the1}", _WHY),
        _family(
            "anyone who sees |anyone who notices |whoever sees |whoever notices ",
            "{the1} ",
            "will |may well |is likely to |will probably |is bound to ",
            "feel {label}",
            _WHY,
        ),
    ],
    "leads": [  # what two pieces evoke, and why
        _family(_WHERE, _PAIR, _EVOKE_BOTH, _WHYS),
        _family(_FEELING, _FROM, "|both ", "{the1} and {the2}", _WHYS),
        _family("with |through ", "{the1} and {the2}, ", "the scene |the picture ", _EVOKES, _WHYS),
        _family(_WHERE, "it is {the1} and {the2} that ", _EVOKE_BOTH, _WHYS),
        _family(
            "because {why1} and |since {why1} and since |as {why1} and ",
            "{why2}, ",
            _PAIR,
            _EVOKE_BOTH,
        ),
        _family(
            _PAIR,
            _EVOKE_BOTH,
            ": the one stands for {sense1}, the other for {sense2}|: the one speaks of {sense1}"
            ", the other of {sense2}|: the first tells of {sense1}, the second of {sense2}",
        ),
    ],
    "pair": [  # what two pieces evoke; "means" follows
        _family(_WHERE, _PAIR, _EVOKE_BOTH),
        _family(_FEELING, _FROM, "|two things, |both ", "{the1} and {the2}"),
        _family(
            "with |through |because of ", "{the1} and {the2}, ", "the scene |the picture ", _EVOKES
        ),
        _family(
            "we see |the picture shows |there {is1} ",
            "{a1} and {a2}, and ",
            "both |together they ",
            _EVOKE_BOTH,
        ),
    ],
    "means": [  # what two pieces mean
        _family(_AFTER, "{why1}, ", "and |while ", "{why2}")
        + _family(_AFTER, "{why1}, ", "and |while ", "{the2} ", _MEAN2, "{sense2}"),
        _family("{the1} ", _MEAN, "{sense1}, ", "and |while ", "{why2}")
        + _family("{the1} ", _MEAN, "{sense1}, ", "and |while ", "{the2} ", _MEAN2, "{sense2}"),
    ],
    "more": [  # what one more piece adds, and why
        _family(_MOREOVER, "{the1} ", _ADD, _WHY),
        _family(_MOREOVER, "{the1} ", _MEAN, "{sense1}, ", "which |and that ", _ADDS),
        _family(_ALSO, ": {why1}|, and {why1}") + _family(_ALSO, ", and {it1} ", _MEAN, "{sense1}"),
        _family("because |since |as |besides, since ", "{why1}, {the1} ", _ADD, _PLACE),
    ],
    "seen": [
        _family(
            "|here |in this scene |in this picture |in this image ",
            "we see |one sees |we find |people see |"
            "there {is1} |we can see |one can see |viewers see |you see ",
            "{list}",
        )
        + _family(
            "the picture |the scene |the image |this picture |this scene ",
            "shows |presents ",
            "{list}",
        )
    ],
    "end": [
        _family(
            "so |all in all, |in short, |that is why |this is why |in the end, |on the whole, ",
            "{label} is what people feel|the scene is one of {label}|the main feeling is {label}|the picture "
            "speaks of {label}|the scene speaks of {label}|{label} is the natural response|the mood is "
            "one of {label}|the scene leaves people with {label}|people come away with {label}|the picture "
            "leaves a feeling of {label}|the scene evokes {label}",
        )
    ],
    "gone": [
        _family(
            _THEN,
            "no {label} would be left|nothing would speak of {label}|the scene would not evoke "
            "{label}|the feeling of {label} would be gone",
            "|, since nothing else points to it|, for nothing "
            "else leads to it|, as nothing else brings it about",
        )
    ],
    "weaker": [
        _family(
            _THEN,
            "the feeling of {label} would be much weaker|most of the {label} would be lost|the scene "
            "would speak far less of {label}",
            ", even with {the2} still there|, though {the2} would remain|"
            ", although {the2} would still speak for it|; {the2} would still point to it, but less",
        )
    ],
    "kept": [
        _family(
            _THEN,
            "the feeling of {label} would be weaker but not gone|people would still feel {label}|the "
            "scene would still speak of {label}|the picture would still evoke {label}",
            ", since {the2} would "
            "still speak for it|, for {the2} would still lead to it|, as {the2} would still point to it",
        )
    ],
    "most": [
        _family(
            "|here, ",
            "{the1} matter{s1} most|{the1} weigh{s1} most|{the1} count{s1} most|the best reason"
            " is {the1}",
            ": |, since |, for ",
            "{why1}, and this ",
            "says more of {label} than {the2}|"
            "speaks of {label} more plainly than {the2}|is a stronger sign of {label} than {the2}",
        )
    ],
}
_QUESTIONS: dict[str, list[list[str]]] = {
    "seen?": [
        [
            "What in this picture leads to {label}?",
            "What do we see that speaks of {label}?",
            "What in this scene brings about {label}?",
            "Which parts of the picture speak of {label}?",
        ]
    ],
    "why?": [
        [
            "Why does this evoke {label}?",
            "How does this lead to {label}?",
            "Where does the {label} come from?",
            "Why does this evoke a feeling of {label}?",
            "Where does the feeling of {label} come from?",
        ]
    ],
    "most?": [
        [
            "What matters most here?",
            "What is the best reason for {label}?",
            "What speaks most of {label}?",
        ]
    ],
    "without?": [["How would this feel without {the1}?"]],
}
# These befall people: viewers do not come away with them, but a scene speaks of them or leaves a feeling of them
NOT_FELT, _BARE = ("neglect", "shame", "suffering"), re.compile(r"(?<!of )\{label\}")


def skeletons() -> list[str]:
    """Every sentence skeleton, each once."""
    return list(chain.from_iterable(chain.from_iterable(FAMILIES.values())))


def is_held_out(skeleton: str) -> bool:
    """Whether a skeleton is kept out of training text: one in ten, by its checksum, for good."""
    return crc32(skeleton.encode()) % 10 == 0


_ALLOWED = {  # (held out?, may the label be named without an "of"?) -> role -> families; questions are on both sides
    (side, bare): {
        role: [
            kept
            for family in families
            if (
                kept := [
                    s
                    for s in family
                    if (role in _QUESTIONS or is_held_out(s) == side)
                    and (bare or not _BARE.search(s))
                ]
            )
        ]
        for role, families in (FAMILIES | _QUESTIONS).items()
    }
    for side in (False, True)
    for bare in (False, True)
}


class _Writer:
    """One text in the making: its evidence, the heaviest first, which skeletons it may use, what it has said."""

    def __init__(
        self,
        attributes: Mapping[str, object],
        label: str,
        label_set: str,
        rng: np.random.Generator,
        held_out: bool,
    ) -> None:
        self.label, self.rng, self.families = label, rng, _ALLOWED[held_out, label not in NOT_FELT]
        self.spoken: set[str] = set()  # values and the senses of meanings
        pairs = evidence(attributes, label, label_set)
        if not pairs:
            raise ValueError(
                f"no evidence for {label!r} ({label_set}) in the scene {dict(attributes)}: expected some"
            )
        self.weights = {
            value: weight_of_evidence(name, value, label, label_set) for name, value in pairs
        }

    def pick(self, options: Sequence):
        return options[int(self.rng.random() * len(options))]

    def say(self, role: str, *values: str) -> str:
        """A sentence on these values: a varied name at first mention, the plain one later; no meaning twice."""
        skeleton = self.pick(self.pick(self.families[role]))
        slots, listed, told = {"label": self.label}, [], set()
        for i, value in enumerate(values, 1):
            name = NAMES[value][0] if value in self.spoken else self.pick(NAMES[value])
            listed.append(_some(name))
            meanings = MEANINGS.get((value, self.label)) or MEANINGS[value, "*"]
            fresh = [meaning for meaning in meanings if meaning[1] not in told]
            why, sense = self.pick(
                [meaning for meaning in fresh if meaning[1] not in self.spoken] or fresh
            )
            if f"{{why{i}}}" in skeleton or f"{{sense{i}}}" in skeleton:
                told.add(sense)
            s, be, it = ("", "are", "they") if name == listed[-1] else ("s", "is", "it")
            slots |= {
                f"the{i}": f"the {name}",
                f"a{i}": listed[-1],
                f"why{i}": why,
                f"sense{i}": sense,
                f"s{i}": s,
                f"is{i}": be,
                f"it{i}": it,
            }
        slots["list"] = " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))
        self.spoken.update(values, told)
        text = skeleton.format_map(slots)
        return text[0].upper() + text[1:]

    def reasons(self, values: Sequence[str]) -> list[str]:
        """Sentences that name every value, the heaviest first but for turns within a pair, and say what it means."""
        if len(values) == 1 or self.rng.random() < 0.4:
            texts, rest = [self.say("lead", values[0])], values[1:]
        else:
            pair, rest = values[:2] if self.rng.random() < 0.7 else values[1::-1], values[2:]
            texts = [
                self.say(role, *pair)
                for role in (("leads",) if self.rng.random() < 0.5 else ("pair", "means"))
            ]
        return texts + [self.say("more", value) for value in rest]


def rationale(
    attributes: Mapping[str, object],
    label: str,
    label_set: str,
    rng: np.random.Generator,
    held_out: bool = False,
    full: bool = False,
) -> str:
    """Why the scene evokes the label: 1 to 4 sentences on its heaviest evidence, two pieces as a rule.

    `attributes` as for `evidence.evidence`. `full`: all its evidence, at greater length. `held_out`: held-out
    skeletons only, else none of them. ValueError if the scene has no evidence for the label.
    """
    writer = _Writer(attributes, label, label_set, rng, held_out)
    values = list(writer.weights)
    if full:
        texts = [writer.say("seen", *values), *writer.reasons(values)]
    else:
        texts = writer.reasons(values[: 1 + int(rng.choice(3, p=(0.03, 0.72, 0.25)))])
    return " ".join([*texts, writer.say("end")] if full or rng.random() < 0.5 else texts)


def conversation(
    attributes: Mapping[str, object],
    label: str,
    label_set: str,
    rng: np.random.Generator,
    held_out: bool = False,
) -> list[tuple[str, str]]:
    """Two or three (question, answer): what is seen, why it evokes the label, and one that its weights answer.

    That asks for the feeling without one piece, by its share of all, or what weighs most. Arguments as for `rationale`.
    """
    writer = _Writer(attributes, label, label_set, rng, held_out)
    values = list(writer.weights)
    turns = [(writer.say("seen?"), writer.say("seen", *values))] if rng.random() < 0.7 else []
    turns.append((writer.say("why?"), " ".join(writer.reasons(values[:2]))))
    if len(values) > 1 and rng.random() < 0.5:
        return [*turns, (writer.say("most?"), writer.say("most", *values[:2]))]
    gone = writer.pick(values)
    share = writer.weights[gone] / sum(writer.weights.values())
    role = "gone" if share == 1 else "weaker" if share > 0.5 else "kept"
    return [
        *turns,
        (
            writer.say("without?", gone),
            writer.say(role, gone, *[v for v in values if v != gone][:1]),
        ),
    ]
