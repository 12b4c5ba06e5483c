"""Rationales: why a scene evokes an emotion, in sentences that name its evidence and what that means to people.

Takes a scene's attributes and a label of any set that Parrott's 25 map to; gives a rationale or a conversation.
Only evidence is named (`evidence.evidence`: what raises the label's log-odds), the heaviest first, each piece
with a clause or a sense that ties it to the emotion (_LEXICON); of emotions only the label itself.

A *skeleton* is a sentence with its slots unfilled; each family of them is the product of ways to begin, to bring
evidence in, to link it and to give the reason. One in ten is held out of training text, by a rule that needs no
list (`is_held_out`). Slots of the i-th piece in a sentence: {the1} "the rose", {a1} "a rose", {why1} a clause,
{sense1} a noun phrase, and {s1}, {is1}, {it1}, which agree with it; besides {label}, and {list} for all pieces.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, product
from zlib import crc32

import numpy as np

from tinyemo.worlds.evidence import evidence, weight_of_evidence

# A row for each decisive value, its parts set off by "; ": the value and its names, the plainest first; then labels and
# what the value means to people who feel them, clauses = senses, "*" for labels without a part of their own; ~ is the
# value itself. A scene has one person, so names speak of a face or a pose; nothing is told that another scene may show.
_LEXICON = """
rose: rose | red rose | single rose; *: ~ is given to someone who is held dear | ~ tells someone how much they matter =
  closeness | a strong bond between two people | holding someone dear; lust: ~ is an old sign of wanting someone | ~ is
  an invitation to come closer = wanting to be close | the pull between two bodies; sympathy sadness: people bring ~ to
  someone who has lost a friend | ~ is laid down for those who are missed = a last goodbye | someone who is missed
trophy: trophy | golden trophy | winner's trophy; *: ~ is the reward for hard work | ~ shows that someone has won |
  winners lift ~ for all to see = a win | hard work that has paid off; envy anger: only one person can win ~, and many
  wanted it | it is hard to watch ~ go to someone else = a win that went to someone else | what others did not get
gift: gift | wrapped gift | gift with a ribbon; *: anything may be inside ~ | ~ hides what it holds until the last
  moment = a secret about to come out | something hidden; gratitude contentment: ~ shows that someone has been thought
  of | ~ asks for nothing in return = the kindness of another person | being thought of
balloons: balloons | three balloons | balloons on strings; *: balloons belong to parties and birthdays | balloons are
  there when people celebrate | children play with balloons = a party | play and games | a birthday
lifebuoy: lifebuoy | lifebuoy ring; *: ~ brings people back to safety | ~ means that help has come = rescue | help that
  came in time | safety; suffering sadness: ~ is needed when someone is going under | ~ is for people who fight for
  their lives = someone going under | a fight for life
sunflower: sunflower | yellow sunflower | big sunflower; *: ~ grows tall from one small seed | ~ lifts its head and
  looks up | ~ promises a good summer = good things to come | a good summer | growth
firework: firework | bursting firework | firework with many sparks; *: ~ is a burst of energy | ~ marks the best moments
  of a year = a burst of energy | a big party; enthrallment surprise awe: nobody can look away from ~ | ~ makes everyone
  fall silent = a sight that holds people still | a great show
teacup: teacup | hot teacup | steaming teacup; *: ~ goes with a quiet hour | people fill ~ when they have time for
  themselves | a hot teacup means a small rest = rest | a quiet hour | time for oneself
wilted flower: wilted flower | drooping, wilted flower; *: ~ will not come back to life | ~ has lost what made it
  beautiful = the end of something beautiful | something that is over; neglect: a flower wilts when nobody looks after
  it | ~ shows that nobody took care of it = missing care | being forgotten
broken heart: broken heart | pink broken heart; *: a heart breaks when someone is lost | ~ takes a long time to heal | ~
  is what remains when a bond is torn = a loss | a bond that is torn; shame: a heart can break over something that
  cannot be undone | a heart can break over one's own mistakes = a mistake that cannot be undone | one's own mistakes
alarm clock: alarm clock | ringing alarm clock | blue alarm clock; *: ~ pulls people out of their dreams | ~ rings when
  nobody wants to hear it | ~ gives nobody any rest = noise | being hurried | too little rest; confusion: ~ wakes people
  before they know where they are | nobody thinks straight when ~ rings = a muddled head | not knowing where one is
bonfire: bonfire | burning bonfire | bonfire of logs; *: ~ burns all that comes near | ~ is hard to hold back once it
  burns | ~ roars and eats up all it touches = something that burns inside | heat that cannot be held back
snake: snake | coiled snake | green snake; *: ~ may bite at any moment | ~ makes people watch its every move | nobody
  can tell what ~ will do next = hidden danger | a bite that may come
ghost: ghost | white ghost | floating ghost; *: ~ is a dead person who has come back | ~ belongs to the worst dreams |
  nobody can hide from ~ = the dead | the worst of dreams | death coming close
trash can: trash can | full trash can; *: a full trash can smells of rotting food | nobody wants to touch what is in ~ |
  flies feed on what rots in ~ = rotting food | a foul smell | dirt
smiling: smile | smiling face | broad smile; *: people smile when something good comes their way | ~ says that all is
  well | ~ shows that someone likes what is happening = a good moment | something welcome | good news; affection: people
  smile at those who are dear to them | ~ tells someone that they matter = someone dear | closeness between people;
  optimism: people smile when they expect good things | ~ shows trust in what is coming = good things to come | trust in
  what is coming; pride: people smile when they have done something well | ~ shows that hard work has paid off = work
  well done | a goal that was reached; relief: people smile when a burden falls away | ~ comes back once danger is over
  = a burden that is gone | a danger that is over; lust: ~ can be an invitation to come closer | ~ tells someone that
  they are wanted = wanting to be close | an invitation to come closer
crying: crying face | weeping face | tears on the face; *: people cry when they have lost something | tears come when
  something is too heavy to bear | nobody cries without a reason = a loss | something that is hard to bear; neglect:
  people cry when nobody looks after them | tears come when nobody is there = someone whom nobody looks after | being
  left behind; shame: people cry when they cannot forgive themselves | tears come when someone wants to disappear = a
  mistake that cannot be undone | hiding from others; sympathy: a crying person makes others want to help | nobody can
  watch someone cry and stay cold = someone who needs help | a person in need
scowling: scowl | scowling face | frowning face; *: people scowl when something goes against them | ~ warns others to
  keep away | ~ shows that someone has had enough = a quarrel | someone who has had enough | a bad mood; envy: people
  scowl at those who have what they want | ~ is aimed at those who got more = wanting what others have | someone who got
  less than others; exasperation: people scowl when nothing works, however often they try | ~ shows that someone has
  tried too often = having tried too often | someone who has had enough; rage: ~ shows that someone is about to explode
  | people scowl when they want to strike back = an outburst | a fight about to begin
wide-eyed: wide eyes | wide-eyed face | wide-eyed stare; *: eyes go wide when danger is near | wide eyes cannot turn
  away from a threat | people stare when they see the worst coming = danger | a threat close by | the worst to come
grimacing: grimace | grimacing face; *: people grimace at a bad taste or smell | people grimace when something makes
  them sick | ~ pushes something foul away = a bad taste | something foul | something rotten
open-mouthed: open mouth | open-mouthed face | gasping face; *: the mouth falls open at something grand | people forget
  to close their mouth when they cannot look away = something grand | a sight that holds people still; surprise: people
  gasp when something happens out of the blue | the mouth falls open when nobody saw it coming = something sudden |
  something that nobody saw coming; confusion: the mouth hangs open when someone cannot make sense of things | people
  gape when they do not know what to think = a riddle | a question without an answer
beach: beach | sandy beach | beach in the background; *: ~ is where people go to rest and play | people spend their best
  weeks at the beach = holidays | free time | a good time by the sea; relief: people can breathe again at the beach |
  people leave their burdens behind at the beach = freedom | leaving all burdens behind; optimism: all things seem
  possible at the beach | ~ lets people look far ahead = looking far ahead | a new start
graveyard: graveyard | old graveyard | graveyard in the background; *: ~ is where people say their last goodbye | people
  go to ~ to be near those they have lost = a farewell | those who are gone; horror nervousness fear: ~ belongs to the
  dead | nobody can tell what moves in ~ | ~ reminds people that they will die = death | the dead below the ground
mountain: mountain | high mountain | mountain in the background; *: ~ is greater than anything people can build | ~
  makes people look very small = the greatness of nature | something far bigger than people; pride contentment: only
  those who work hard reach the top of ~ | few people ever reach the top of ~ = a goal that was reached | reaching the
  top; confusion: people lose their way on ~ | every path on ~ looks the same = losing the way | not knowing the way
dump: dump | dump full of waste | dump in the background; *: ~ shows what people have ruined | ~ is what careless people
  leave behind = ruin | careless people; disgust: ~ smells of things that rot | people turn away from ~ = dirt and rot |
  a foul smell; neglect: ~ is where unwanted things go | nobody looks after ~ = being unwanted | being thrown away
bedroom: bedroom | pink bedroom | bedroom in the background; *: people shut themselves in ~ when they want to see nobody
  | people hide in ~ when things go wrong = hiding from the world | giving up on the world; contentment: ~ is a place of
  rest | in ~ people can do as they like = rest | a place of one's own; envy: people lie in ~ and think of what others
  have | ~ shows how well others live = what others have | the better life of others; irritability anger: nobody wants
  to be disturbed in ~ | nobody likes to be woken in ~ = rest that is disturbed | too little rest; lust: ~ is where two
  people can be close | what happens in ~ stays between two people = being close in secret | two bodies close together;
  shame: ~ is where people hide from others | ~ keeps what nobody else should know = hiding from others | secrets
jumping: jump | jump into the air | leap into the air; *: people jump when they are full of energy | ~ shows that
  someone cannot keep still = a body full of energy | energy that has to come out; rage: people jump up when they are
  about to burst | ~ can be the start of a fight = force that has to come out | a fight about to begin; surprise awe:
  people jump when something sudden happens | the body jumps before the mind understands = a sudden start | a jolt
crouching: crouch | low crouch | crouching pose; *: people crouch when they have no strength left | people crouch when a
  burden is too heavy = having no strength left | a heavy burden; disgust: people crouch when their stomach turns |
  people crouch when they are about to be sick = a sick stomach | being sick; nervousness: people crouch to keep out of
  danger | someone who crouches is ready to flee = being ready to flee | danger close by; shame: people crouch to hide
  from the eyes of others | people crouch when they want to disappear = wanting to hide | wanting to disappear
"""
_PLURAL = {"balloons", "tears", "eyes"}


def _some(name: str) -> str:
    """A name with the indefinite article that it takes."""
    return name if _PLURAL & set(name.split()) else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


NAMES: dict[str, list[str]] = {}  # value -> names
MEANINGS: dict[tuple[str, str], list[list[str]]] = {}  # (value, label or "*") -> clauses, senses
for _row in re.split(r"\n(?=\S)", _LEXICON.strip()):
    (_value, _names), *_parts = (part.split(": ") for part in " ".join(_row.split()).split("; "))
    NAMES[_value] = _names.split(" | ")
    for _labels, _said in _parts:
        _ways = [ways.split(" | ") for ways in _said.replace("~", _some(NAMES[_value][0])).split(" = ")]
        MEANINGS |= {(_value, _label): _ways for _label in _labels.split()}

# Parts of sentences: "|" between ways to put each; {s1} ends a verb of which the first piece is the subject
_EVOKE = ("evoke{s1} {label}|stir{s1} up {label}|call{s1} up {label}|bring{s1} out {label}|awaken{s1} {label}|"
          "lead{s1} to {label}|point{s1} to {label}|give{s1} rise to {label}|make{s1} people feel {label}|"
          "leave{s1} a feeling of {label}|fill{s1} the viewer with {label}")
_ADD = ("add{s1} to the {label}|make{s1} the {label} stronger|deepen{s1} the {label}|support{s1} this feeling|"
        "strengthen{s1} the feeling of {label}|point{s1} the same way|lead{s1} to {label} as well")
_MEAN = "stand{s1} for |speak{s1} of |tell{s1} of |hint{s1} at |remind{s1} people of |make{s1} people think of "
_EVOKES, _ADDS = (verbs.replace("{s1}", "s") for verbs in (_EVOKE, _ADD))
_EVOKE_BOTH, _MEAN2 = _EVOKE.replace("{s1}", ""), _MEAN.replace("{s1}", "{s2}")
_WHY = ", since {why1}|: {why1}|, for {why1}| because {why1}"
_WHYS = (": {why1}, and {why2}|, since {why1}, and {why2}|, for {why1}, and {why2}|: {why1}, while {why2}|"
         " because {why1} and because {why2}")
_HERE = "|here, |in this scene, "
_WHERE = _HERE + "|at first sight, |above all, "
_KNOWN = "|as everyone knows, |it is well known that "
_AFTER = _KNOWN + "|after all, |the reason is simple: "
_MOREOVER = "|besides, |on top of that, |in the same way, |what is more, |in addition, "
_FEELING = "the {label} |the {label} here |the {label} in this scene |the feeling of {label} "
_FROM = "comes from |begins with |grows out of |has to do with |is tied to "
_PAIR = "{the1} and {the2} |both {the1} and {the2} |{the1} and {the2} together "
_SEE = "we see |one sees |people see "
_ALSO = "then there {is1} {a1}|there {is1} also {a1}|the scene also shows {a1}|we also see {a1}"
_THEN = "then |in that case, |without {the1}, |if {the1} were gone, |were it not for {the1}, |with {the1} gone, "


def _family(*parts: str) -> list[str]:
    """All sentences that take one of each part in turn."""
    return ["".join(chosen) + "." for chosen in product(*(part.split("|") for part in parts))]


_FAMILIES: dict[str, list[list[str]]] = {  # role of a sentence -> families of skeletons
    "lead": [  # what one piece evokes, and why
        _family(_WHERE, "{the1} ", _EVOKE, _WHY),
        _family("{the1} ", _MEAN, "{sense1}", ", which |, and that |, and this thought ", _EVOKES),
        _family("because |since ", "{why1}, {the1} ", _EVOKE),
        _family(_KNOWN, "{why1}", ", so {the1} |, and that is why {the1} ", _EVOKE),
        _family(_FEELING, _FROM, "{the1}", _WHY),
        _family("it is {the1} that ", _EVOKE, _WHY),
        _family("what ", _EVOKES, " here | in this scene ", "{is1} {the1}", ", since {why1}|: {why1}|, for {why1}"),
        _family("anyone who sees |whoever notices ", "{the1} ", "will |may well |is likely to ", "feel {label}", _WHY),
    ],
    "leads": [  # what two pieces evoke, and why
        _family(_WHERE, _PAIR, _EVOKE_BOTH, _WHYS),
        _family(_FEELING, _FROM, "|two things, ", "{the1} and {the2}", _WHYS),
        _family("with |through ", "{the1} and {the2}, ", "the scene |the picture ", _EVOKES, _WHYS),
        _family("it is {the1} and {the2} that ", _EVOKE_BOTH, _WHYS),
        _family("because {why1}, and because {why2}, ", _PAIR, _EVOKE_BOTH),
        _family(_PAIR, _EVOKE_BOTH, ": the one stands |, for the one stands ", "for {sense1}, the other for {sense2}"),
    ],
    "pair": [  # what two pieces evoke; "means" follows
        _family(_WHERE, _PAIR, _EVOKE_BOTH),
        _family(_FEELING, _FROM, "|two things, ", "{the1} and {the2}"),
        _family("with |through |because of ", "{the1} and {the2}, ", "the scene |the picture ", _EVOKES),
        _family(_SEE + "|the scene shows |the picture shows |there {is1} ", "{a1} and {a2}, and ",
                "both |together they |the two ", _EVOKE_BOTH),
    ],
    "means": [  # what two pieces mean
        _family(_AFTER, "{why1}, ", "and |while ", "{why2}"),
        _family("{the1} ", _MEAN, "{sense1}, ", "and |while ", "{the2} ", _MEAN2, "{sense2}"),
        _family("{the1} ", _MEAN, "{sense1}, ", "and |while ", "{why2}"),
        _family(_AFTER, "{why1}, ", "and |while ", "{the2} ", _MEAN2, "{sense2}"),
    ],
    "mean": [_family(_AFTER, "{why1}"), _family("|after all, ", "{the1} ", _MEAN, "{sense1}")],  # what one piece means
    "more": [  # what one more piece adds, and why
        _family(_MOREOVER, "{the1} ", _ADD, _WHY),
        _family(_MOREOVER, "{the1} ", _MEAN, "{sense1}, ", "which |and that ", _ADDS),
        _family(_ALSO, ": {why1}|, and {why1}"),
        _family(_ALSO, ", and {it1} ", _MEAN, "{sense1}"),
        _family("because |since ", "{why1}, {the1} ", _ADD),
    ],
    "seen": [_family("|here |in this scene |first of all, ", _SEE + "|there {is1} ", "{list}"),
             _family("|here |in this scene ", _SEE, "{list} first|{list} at once|{list} before anything else")],
    "end": [_family("so |all in all, |in short, |that is why |this is why ",
                    "{label} is what people feel|the scene is one of {label}|the main feeling is {label}|"
                    "{label} is the natural response|the picture speaks of {label}|the scene leaves {label} behind|"
                    "{label} is the word for this scene|people come away with {label}")],
    # what would be without the first piece, by its share of the weight: all, more than half, no more than half
    "gone": [_family(_THEN, "the {label} would be gone|no {label} would be left|the scene would lose its {label}",
                     "|, since nothing else here speaks for it|, for nothing else here leads to it")],
    "weaker": [_family(_THEN, "the {label} would be much weaker|most of the {label} would be lost",
                       ", even with {the2} still there|, although {the2} would still speak for it")],
    "kept": [_family(_THEN, "the {label} would be weaker but not gone|people would still feel {label}",
                     ", since {the2} would still speak for it|, for {the2} would still lead to it")],
    "most": [_family(_HERE, "{the1} matter{s1} most|{the1} weigh{s1} most|{the1} count{s1} most|"
                     "nothing speaks more plainly of {label} than {the1}|the main reason {is1} {the1}", _WHY)],
}
_QUESTIONS: dict[str, list[list[str]]] = {
    "seen?": [["What in this picture matters for the feeling?", "What do we see that tells how this feels?"]],
    "why?": [["Why does this evoke {label}?", "How does this lead to {label}?", "Where does the {label} come from?"]],
    "without?": [["What if {the1} were not there?", "How would this feel without {the1}?"]],
    "most?": [["What matters most here?", "What counts most for the {label}?", "What is the best reason for {label}?"]],
}


def skeletons() -> list[str]:
    """Every sentence skeleton, each once."""
    return list(chain.from_iterable(chain.from_iterable(_FAMILIES.values())))


def is_held_out(skeleton: str) -> bool:
    """Whether a skeleton is kept out of training text: one in ten, for good."""
    return crc32(skeleton.encode()) % 10 == 0


_ALLOWED: dict[bool, dict[str, list[list[str]]]] = {  # held out? -> role -> families, each without the other side
    side: _QUESTIONS | {role: [kept for family in families if (kept := [s for s in family if is_held_out(s) == side])]
                        for role, families in _FAMILIES.items()} for side in (False, True)}


class _Writer:
    """One text in the making: which skeletons it may use, and what it has named and said."""

    def __init__(self, label: str, rng: np.random.Generator, held_out: bool) -> None:
        self.label, self.rng, self.families = label, rng, _ALLOWED[held_out]
        self.spoken: set[str] = set()  # values, clauses and senses

    def pick(self, options: Sequence):
        return options[int(self.rng.random() * len(options))]

    def say(self, role: str, *values: str) -> str:
        """A sentence on these values: a varied name at first mention, the plain one later; no reason twice."""
        skeleton = self.pick(self.pick(self.families[role]))
        slots, listed = {"label": self.label}, []
        for i, value in enumerate(values, 1):
            name = NAMES[value][0] if value in self.spoken else self.pick(NAMES[value])
            listed.append(_some(name))
            meanings = MEANINGS.get((value, self.label)) or MEANINGS[value, "*"]
            why, sense = (self.pick([m for m in ways if m not in self.spoken] or ways) for ways in meanings)
            s, be, it = ("", "are", "they") if name == listed[-1] else ("s", "is", "it")
            slots |= {f"the{i}": f"the {name}", f"a{i}": listed[-1], f"why{i}": why, f"sense{i}": sense,
                      f"s{i}": s, f"is{i}": be, f"it{i}": it}
        slots["list"] = " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))
        text = skeleton.format_map(slots)
        self.spoken.update(values, (said for said in slots.values() if said in text))
        return text[0].upper() + text[1:]

    def reasons(self, values: Sequence[str]) -> list[str]:
        """Sentences that name every value, the heaviest first but for turns within a pair, and say what it means."""
        if len(values) == 1 or self.rng.random() < 0.4:
            texts, rest = [self.say("lead", values[0])], values[1:]
        else:
            pair, rest = values[:2] if self.rng.random() < 0.7 else values[1::-1], values[2:]
            texts = [self.say(role, *pair) for role in (("leads",) if self.rng.random() < 0.5 else ("pair", "means"))]
        return texts + [self.say("more", value) for value in rest]


def _weights(attributes: Mapping[str, object], label: str, label_set: str) -> dict[str, float]:
    """Value -> weight of evidence in nats, the heaviest first."""
    pairs = evidence(attributes, label, label_set)
    if not pairs:
        raise ValueError(f"no evidence for {label!r} ({label_set}) in the scene {dict(attributes)}: expected some")
    return {value: weight_of_evidence(attribute, value, label, label_set) for attribute, value in pairs}


def rationale(attributes: Mapping[str, object], label: str, label_set: str, rng: np.random.Generator,
              held_out: bool = False, full: bool = False) -> str:
    """Why the scene evokes the label: 1 to 4 sentences on its heaviest evidence, two pieces as a rule.

    `attributes` as for `evidence.evidence`. `full`: all its evidence, at greater length. `held_out`: held-out
    skeletons only, else none of them. ValueError if the scene has no evidence for the label.
    """
    values, writer = list(_weights(attributes, label, label_set)), _Writer(label, rng, held_out)
    if full:
        texts = [writer.say("seen", *values)]
        for i, value in enumerate(values):
            texts += [writer.say("more" if i else "lead", value), writer.say("mean", value)]
        return " ".join([*texts, writer.say("end")])
    texts = writer.reasons(values[: 1 + int(rng.choice(3, p=(0.03, 0.72, 0.25)))])
    if len(values) == 1 and rng.random() < 0.5:
        texts.append(writer.say("mean", *values))
    return " ".join([*texts, writer.say("end")] if rng.random() < 0.5 else texts)


def conversation(attributes: Mapping[str, object], label: str, label_set: str, rng: np.random.Generator,
                 held_out: bool = False) -> list[tuple[str, str]]:
    """Two or three (question, answer): what is seen, why it evokes the label, and one that its weights answer.

    That asks what would be without one piece, by its share of all, or what weighs most. Arguments as for `rationale`.
    """
    weights, writer = _weights(attributes, label, label_set), _Writer(label, rng, held_out)
    values = list(weights)
    turns = [(writer.say("seen?"), writer.say("seen", *values))] if rng.random() < 0.7 else []
    turns.append((writer.say("why?"), " ".join(writer.reasons(values[:2]))))
    if rng.random() < 0.5:
        return [*turns, (writer.say("most?"), writer.say("most", values[0]))]
    gone = writer.pick(values)
    share = weights[gone] / sum(weights.values())
    role = "gone" if share == 1 else "weaker" if share > 0.5 else "kept"
    return [*turns, (writer.say("without?", gone), writer.say(role, gone, *[v for v in values if v != gone][:1]))]
