"""Sentences about drawn scenes, written by hand: what a checker of texts has to see, and what it must let pass.

Owns `Case`, `attributes_of` and DEV, the 120 cases a checker may be built on; `checker_sentences_held_out` holds
those it may only be measured on. Half of the cases are true to their scene, half bear one planted error or two.

What counts as a mention:
- a thing, place, posture, face, hour, weather, style or light that the text says the picture shows. Not what it
  negates, supposes or compares with, nor idioms ("looks into the camera"), nor what things other than the person do
  ("beside her stands a lamp");
- tears are crying, tombstones a graveyard: a part stands for its whole, and is not listed beside it;
- the person and their hair, clothes and limbs are no mention, nor is the colour of a thing a mention of light;
- a generic word stands for any of the values it fits; anything that no scene contains stands by its own word, in the
  singular. Sunny is clear, laughing is smiling, a raised hand is waving.
An emotion is felt when the text says so of the person, the picture or its viewer. Named as `felt:<label>` is the
label that the text's word is a form or a synonym of.
"""

from dataclasses import dataclass

from emoscenes.scenes import ATTRIBUTES

FLOWER = "rose|sunflower|wilted flower"
TREES = "forest|park|mountain|graveyard|beach"
SAND = "beach|desert"
CLOUDS = "cloudy|rain|storm"
ROOM = "bedroom|office"
EVENING = "sunset|night"
VEHICLE = "car|bicycle"
GARBAGE = "dump|trash can"

LIGHT: dict[
    str, tuple[str, float]
] = {  # word -> the continuous attribute it speaks of, and the value it stands for
    "dark": ("brightness", 0.1),
    "bright": ("brightness", 0.9),
    "pale": ("colorfulness", 0.1),
    "colourful": ("colorfulness", 0.9),
}


@dataclass(frozen=True)
class Case:
    """One text about one scene. `wrong`: its mentions that the scene does not bear, and emotions against the label."""

    text: str
    scene: str  # nine values, in any order
    label: str
    mentions: tuple[str, ...]
    wrong: tuple[str, ...] = ()


def attributes_of(case: Case) -> dict[str, str | float]:
    """The attributes of a case's scene: the seven of `scenes.ATTRIBUTES`, brightness and colorfulness.

    ValueError unless every attribute is given once.
    """
    attribute_of = {
        value: (name, value) for name, values in ATTRIBUTES.items() for value in values
    } | LIGHT
    values = [value.strip() for value in case.scene.split(",")]
    if unknown := [value for value in values if value not in attribute_of]:
        raise ValueError(f"scene {case.scene!r} names no value of the world: {', '.join(unknown)}")
    attributes = dict(attribute_of[value] for value in values)
    names = [*ATTRIBUTES, "brightness", "colorfulness"]
    if len(values) != len(names) or set(attributes) != set(names):
        raise ValueError(f"scene {case.scene!r}: expected one value each of {', '.join(names)}")
    return {name: attributes[name] for name in names}


DEV: tuple[Case, ...] = (
    # true to the scene: plain descriptions and paraphrases
    Case(
        "The image depicts a wide-eyed person crouching in a foggy graveyard at night, next to a white ghost.",
        "ghost, wide-eyed, crouching, graveyard, night, fog, photo, dark, pale",
        "horror",
        ("ghost", "wide-eyed", "crouching", "graveyard", "night", "fog"),
    ),
    Case(
        "A woman beams at us from the seashore, a bunch of balloons at her side.",
        "balloons, smiling, standing, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("smiling", "beach", "balloons"),
    ),
    Case(
        "Tombstones loom behind a man who is weeping; the two halves of a heart lie next to him.",
        "broken heart, crying, standing, graveyard, sunset, rain, painting, dark, pale",
        "sadness",
        ("graveyard", "crying", "broken heart"),
    ),
    Case(
        "Bike on a downtown street, heavy rain, nobody in a hurry.",
        "bicycle, neutral, standing, city street, day, rain, photo, dark, pale",
        "contentment",
        ("bicycle", "city street", "rain"),
    ),
    Case(
        "Jealousy hangs over this bedroom, where someone glowers at a trophy that belongs to another.",
        "trophy, scowling, sitting, bedroom, night, storm, photo, dark, pale",
        "envy",
        ("bedroom", "scowling", "trophy"),
    ),
    Case(
        "Mouth agape, the hiker has stopped short in front of the snow-capped peaks.",
        "camera, open-mouthed, standing, mountain, day, clear, painting, bright, colourful",
        "enthrallment",
        ("open-mouthed", "mountain"),
    ),
    Case(
        "In this oil painting a figure strides across the dunes while the sun goes down.",
        "book, neutral, walking, desert, sunset, clear, painting, dark, colourful",
        "optimism",
        ("painting", "walking", "desert", "sunset"),
    ),
    Case(
        "The plant in its clay pot has gone limp, and so has the hope of the person squatting beside it.",
        "wilted flower, crying, crouching, bedroom, day, cloudy, photo, bright, pale",
        "disappointment",
        ("wilted flower", "crouching"),
    ),
    Case(
        "A snapshot from the landfill: tongue out, eyes screwed shut, a rubbish bin overflowing with slime.",
        "trash can, grimacing, standing, dump, day, cloudy, photo, bright, pale",
        "disgust",
        ("photo", "dump", "grimacing", "trash can"),
    ),
    Case(
        "He sits in the woods with a steaming cup of tea and grins from ear to ear.",
        "teacup, smiling, sitting, forest, day, fog, painting, bright, colourful",
        "contentment",
        ("sitting", "forest", "teacup", "smiling"),
    ),
    Case(
        "Question: What is the weather like? Answer: It is snowing; flakes are falling all over the park.",
        "umbrella, smiling, walking, park, day, snow, abstract, bright, pale",
        "zest",
        ("snow", "park"),
    ),
    Case(
        "She waves from behind a red car, and lightning splits the sky above her.",
        "car, open-mouthed, waving, city street, night, storm, abstract, dark, colourful",
        "surprise",
        ("waving", "car", "storm"),
    ),
    Case(
        "Somebody hops up and down on a playground, thrilled by the sparks of a firework.",
        "firework, smiling, jumping, park, night, clear, photo, dark, colourful",
        "excitement",
        ("jumping", "park", "firework"),
    ),
    Case(
        "An expressionless man at work: a desk, a monitor, a rucksack on the floor.",
        "backpack, neutral, sitting, office, day, clear, photo, bright, pale",
        "neglect",
        ("neutral", "office", "backpack"),
    ),
    Case(
        "Thankful for the wrapped present, she cannot stop smiling.",
        "gift, smiling, sitting, bedroom, day, clear, photo, bright, colourful",
        "gratitude",
        ("gift", "smiling"),
    ),
    Case(
        "The picture is made of geometric facets, an abstract seaside with a lifebelt and a person in tears.",
        "lifebuoy, crying, standing, beach, sunset, cloudy, abstract, dark, colourful",
        "suffering",
        ("abstract", "beach", "lifebuoy", "crying"),
    ),
    Case(
        "What evokes rage here is the blaze in the foreground and the bared teeth above it.",
        "bonfire, scowling, jumping, dump, night, clear, photo, dark, colourful",
        "rage",
        ("bonfire", "scowling"),
    ),
    Case(
        "A dimly lit room with a bed, a guitar leaning in front of it and a blank face that gives nothing away.",
        "guitar, neutral, sitting, bedroom, night, rain, photo, dark, pale",
        "disappointment",
        ("dark", "bedroom", "guitar", "neutral"),
    ),
    Case(
        "The colors are vivid, the light is bright, and in the middle of it all someone leaps next to a sunflower.",
        "sunflower, smiling, jumping, park, day, clear, painting, bright, colourful",
        "optimism",
        ("colourful", "bright", "jumping", "sunflower"),
    ),
    Case(
        "It looks washed out, like an old photograph of a cemetery in the mist.",
        "chair, crying, standing, graveyard, day, fog, photo, bright, pale",
        "sympathy",
        ("pale", "photo", "graveyard", "fog"),
    ),
    Case(
        "Compassion, that is what I feel for the sobbing figure with the single red rose.",
        "rose, crying, crouching, graveyard, day, rain, photo, dark, pale",
        "sympathy",
        ("crying", "rose"),
    ),
    Case(
        "Overcast skies hang over the mountains as a hiker with puzzled, gaping mouth looks at an alarm clock.",
        "alarm clock, open-mouthed, standing, mountain, day, cloudy, painting, bright, pale",
        "confusion",
        ("cloudy", "mountain", "open-mouthed", "alarm clock"),
    ),
    Case(
        "A serpent has coiled itself up on the forest floor, and the person hunkered down beside it is anxious.",
        "snake, wide-eyed, crouching, forest, day, fog, photo, dark, colourful",
        "nervousness",
        ("snake", "forest", "crouching"),
    ),
    Case(
        "moonlit shore, wooden chair, somebody waving",
        "chair, smiling, waving, beach, night, clear, photo, dark, pale",
        "relief",
        ("night", "beach", "chair", "waving"),
    ),
    Case(
        "Under a purple brolly that nobody holds, the pavement glistens; the man walks on with a deadpan face.",
        "umbrella, neutral, walking, city street, sunset, rain, painting, dark, pale",
        "sadness",
        ("umbrella", "city street", "walking", "neutral"),
    ),
    Case(
        "The golden cup on its wooden base and the radiant grin make this a picture of triumph.",
        "trophy, smiling, jumping, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("trophy", "smiling"),
    ),
    # true: negations
    Case(
        "There is no ghost here, only an open book and a quiet office.",
        "book, neutral, sitting, office, day, cloudy, photo, bright, pale",
        "contentment",
        ("book", "office"),
    ),
    Case(
        "The person is not smiling: the brows are drawn together in a scowl and the teeth are clenched.",
        "alarm clock, scowling, standing, bedroom, day, rain, photo, bright, pale",
        "irritability",
        ("scowling",),
    ),
    Case(
        "Without a single flower in sight, the desert stretches behind a lone figure.",
        "camera, neutral, standing, desert, day, clear, photo, bright, pale",
        "neglect",
        ("desert",),
    ),
    Case(
        "Nothing suggests rain or snow; the sky over the street is clear.",
        "lamp, smiling, walking, city street, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("city street", "clear"),
    ),
    Case(
        "I see neither a dog nor a cat, just a woman on her feet beside a trash can.",
        "trash can, grimacing, standing, park, day, clear, abstract, bright, pale",
        "disgust",
        ("standing", "trash can"),
    ),
    Case(
        "This isn't a photograph but a painting of the woods.",
        "lamp, open-mouthed, walking, forest, sunset, fog, painting, dark, colourful",
        "confusion",
        ("painting", "forest"),
    ),
    Case(
        "Nobody is crying any more, and no storm is left: the lifebuoy on the beach has done its work.",
        "lifebuoy, smiling, sitting, beach, day, clear, photo, bright, colourful",
        "relief",
        ("lifebuoy", "beach"),
    ),
    Case(
        "The figure neither sits nor walks; it jumps.",
        "gift, open-mouthed, jumping, office, day, cloudy, abstract, bright, colourful",
        "surprise",
        ("jumping",),
    ),
    # true: what is only supposed or compared
    Case(
        "As pale as a ghost, she squats beside the snake and does not dare to move.",
        "snake, wide-eyed, crouching, park, sunset, cloudy, photo, bright, colourful",
        "nervousness",
        ("crouching", "snake"),
    ),
    Case(
        "He gapes as if a snake had appeared in his office, but it is only a gift.",
        "gift, open-mouthed, standing, office, day, clear, photo, bright, pale",
        "surprise",
        ("open-mouthed", "office", "gift"),
    ),
    Case(
        "If there were balloons, this would be a birthday; as it is, a lamp stands beside someone who sits and weeps.",
        "lamp, crying, sitting, bedroom, night, rain, painting, dark, pale",
        "sadness",
        ("lamp", "sitting", "crying"),
    ),
    Case(
        "One would expect a bonfire at such a gathering on the sand, yet all I find is a teacup.",
        "teacup, smiling, sitting, beach, sunset, clear, photo, dark, colourful",
        "contentment",
        (SAND, "teacup"),
    ),
    Case(
        "The heap of garbage rises like a mountain behind the scowling man.",
        "bonfire, scowling, standing, dump, day, cloudy, photo, bright, pale",
        "exasperation",
        ("dump", "scowling"),
    ),
    Case(
        "It could have been a cheerful beach scene, but the background is a burial ground.",
        "broken heart, crying, standing, graveyard, night, clear, photo, dark, pale",
        "suffering",
        ("graveyard",),
    ),
    # true: other emotions, denied or contrasted
    Case(
        "Not anger but shame makes him crouch by the bed.",
        "broken heart, crying, crouching, bedroom, night, fog, photo, dark, pale",
        "shame",
        ("crouching", "bedroom"),
    ),
    Case(
        "Rather than joy, the drooping flower conveys disappointment.",
        "wilted flower, crying, sitting, bedroom, day, clear, photo, bright, pale",
        "disappointment",
        ("wilted flower",),
    ),
    Case(
        "There is no trace of fear in this face; the broad smile speaks of affection alone.",
        "rose, smiling, standing, beach, sunset, clear, photo, bright, colourful",
        "affection",
        ("smiling",),
    ),
    Case(
        "Is it anger? No: the tongue hanging out and the stench over the dump say disgust.",
        "trash can, grimacing, crouching, dump, day, storm, painting, dark, pale",
        "disgust",
        ("grimacing", "dump"),
    ),
    Case(
        "One might take the open mouth for terror, but what the firework brings about is awe.",
        "firework, open-mouthed, standing, mountain, night, clear, abstract, dark, colourful",
        "enthrallment",
        ("open-mouthed", "firework"),
    ),
    Case(
        "Far from being content, the scowling sleeper is simply cranky.",
        "alarm clock, scowling, sitting, bedroom, day, cloudy, photo, bright, pale",
        "irritability",
        ("scowling",),
    ),
    # true: synonyms, coarser words, words that only look like emotions or things
    Case(
        "Fury burns in the furrowed face, as hot as the campfire in front of it.",
        "bonfire, scowling, standing, desert, night, clear, photo, dark, colourful",
        "rage",
        ("scowling", "bonfire"),
    ),
    Case(
        "Terrified, he stares at the spectre with eyes like saucers.",
        "ghost, wide-eyed, standing, bedroom, night, storm, photo, dark, pale",
        "horror",
        ("ghost", "wide-eyed"),
    ),
    Case(
        "Joy is written all over this scene: balloons, laughter and a leap into the air.",
        "balloons, smiling, jumping, park, day, clear, painting, bright, colourful",
        "cheerfulness",
        ("balloons", "smiling", "jumping"),
    ),
    Case(
        "An angry scene, what with the alarm clock shouting at a man who has just got out of bed and glares back.",
        "alarm clock, scowling, standing, bedroom, day, clear, photo, bright, colourful",
        "exasperation",
        ("alarm clock", "bedroom", "scowling"),
    ),
    Case(
        "He looks straight into the camera and waves, a big smile on his face.",
        "guitar, smiling, waving, park, day, cloudy, photo, bright, colourful",
        "affection",
        ("waving", "smiling"),
    ),
    Case(
        "The content of the picture is simple: flames, and a man who grits his teeth.",
        "bonfire, scowling, walking, forest, night, clear, painting, dark, colourful",
        "rage",
        ("bonfire", "scowling"),
    ),
    Case(
        "The waves roll in behind a seated woman, and pride of place goes to a flower.",
        "sunflower, smiling, sitting, beach, day, clear, photo, bright, colourful",
        "optimism",
        ("beach", "sitting", FLOWER),
    ),
    Case(
        "A bright smile lights up the face, whatever the hour.",
        "balloons, smiling, walking, city street, night, clear, photo, dark, pale",
        "cheerfulness",
        ("smiling",),
    ),
    Case(
        "A person with dark hair and a green shirt is standing between the cacti. A vehicle is parked nearby.",
        "car, neutral, standing, desert, day, clear, photo, bright, colourful",
        "pride",
        ("standing", "desert", VEHICLE),
    ),
    # true: parts of places and things
    Case(
        "Pine trees close in on the path of a walker, and a table lamp glows where no socket could be.",
        "lamp, wide-eyed, walking, forest, night, fog, photo, dark, pale",
        "fear",
        (TREES, "walking", "lamp"),
    ),
    Case(
        "Behind the man, a sailboat crosses the bay under a palm; in front of him lies a camera.",
        "camera, smiling, standing, beach, day, clear, photo, bright, colourful",
        "gratitude",
        ("beach", "camera"),
    ),
    Case(
        "A swing and a gravel path in the background tell us that this is a park.",
        "book, smiling, waving, park, day, cloudy, painting, bright, colourful",
        "zest",
        ("park",),
    ),
    Case(
        "The street lamp and the lit windows make the rainy evening in the city almost homely.",
        "guitar, smiling, sitting, city street, sunset, rain, painting, bright, colourful",
        "relief",
        ("city street", "rain", EVENING),
    ),
    Case(
        "Through the window of the office you can see that it is foggy outside. A fish bone sticks out of the bin.",
        "trash can, grimacing, standing, office, day, fog, photo, bright, pale",
        "disgust",
        ("office", "fog", "trash can"),
    ),
    # planted: an object of the world that the scene lacks
    Case(
        "A red rose stands next to the weeping woman in the graveyard.",
        "lamp, crying, standing, graveyard, day, fog, photo, dark, pale",
        "sadness",
        ("rose", "crying", "graveyard"),
        ("rose",),
    ),
    Case(
        "The image shows a grinning man on a beach with a guitar.",
        "balloons, smiling, standing, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("smiling", "beach", "guitar"),
        ("guitar",),
    ),
    Case(
        "Dread creeps in because a ghost hovers over the crouching figure.",
        "snake, wide-eyed, crouching, forest, night, fog, photo, dark, pale",
        "horror",
        ("ghost", "crouching"),
        ("ghost",),
    ),
    Case(
        "What makes him proud is the cup he has won; it gleams beside him on the mountain.",
        "bicycle, smiling, standing, mountain, day, clear, painting, bright, colourful",
        "pride",
        ("trophy", "mountain"),
        ("trophy",),
    ),
    Case(
        "A bouquet would be too much, but one flower graces the bedroom.",
        "chair, smiling, sitting, bedroom, day, clear, photo, bright, colourful",
        "affection",
        (FLOWER, "bedroom"),
        (FLOWER,),
    ),
    Case(
        "Someone has left an umbrella in the desert, of all places.",
        "backpack, open-mouthed, walking, desert, day, clear, abstract, bright, colourful",
        "confusion",
        ("umbrella", "desert"),
        ("umbrella",),
    ),
    Case(
        "Question: What lies on the ground? Answer: A bicycle.",
        "book, neutral, standing, park, day, cloudy, photo, bright, pale",
        "neglect",
        ("bicycle",),
        ("bicycle",),
    ),
    Case(
        "He is fed up with the alarm clock and with the garbage can that both crowd the scene.",
        "alarm clock, scowling, standing, office, day, rain, photo, dark, pale",
        "exasperation",
        ("alarm clock", "trash can"),
        ("trash can",),
    ),
    Case(
        "A little serpent winds its way through the picture, past a man with a poker face.",
        "gift, neutral, walking, city street, sunset, cloudy, painting, dark, pale",
        "anger",
        ("snake", "neutral"),
        ("snake",),
    ),
    # planted: a thing from outside the world
    Case(
        "A brown dog runs along the beach next to the smiling girl.",
        "balloons, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("dog", "beach", "smiling"),
        ("dog",),
    ),
    Case(
        "On the desk of the office there is a birthday cake, which explains the gift.",
        "gift, open-mouthed, standing, office, day, clear, photo, bright, colourful",
        "surprise",
        ("office", "cake", "gift"),
        ("cake",),
    ),
    Case(
        "A grand piano fills half of the room, and a man in tears crouches below it.",
        "broken heart, crying, crouching, bedroom, night, rain, photo, dark, pale",
        "suffering",
        ("piano", ROOM, "crying", "crouching"),
        ("piano",),
    ),
    Case(
        "Crows circle above the tombstones as the sun sinks.",
        "ghost, wide-eyed, standing, graveyard, sunset, clear, photo, dark, pale",
        "nervousness",
        ("crow", "graveyard", "sunset"),
        ("crow",),
    ),
    Case(
        "Amid the mountains, a waterfall thunders behind the astonished hiker.",
        "firework, open-mouthed, standing, mountain, day, clear, painting, bright, colourful",
        "surprise",
        ("mountain", "waterfall"),
        ("waterfall",),
    ),
    Case(
        "A cat sleeps on the bed and a cup of tea steams in front of it: pure serenity.",
        "teacup, smiling, sitting, bedroom, sunset, snow, photo, bright, colourful",
        "contentment",
        ("cat", "bedroom", "teacup"),
        ("cat",),
    ),
    Case(
        "The man has put on a straw hat and strolls through the park.",
        "camera, smiling, walking, park, day, clear, painting, bright, colourful",
        "optimism",
        ("hat", "walking", "park"),
        ("hat",),
    ),
    Case(
        "Two camels rest in the shade of a cactus.",
        "lamp, neutral, sitting, desert, day, clear, photo, bright, colourful",
        "contentment",
        ("camel", "desert"),
        ("camel",),
    ),
    Case(
        "Wearing sunglasses, she sits by the sea, a life ring next to her.",
        "lifebuoy, smiling, sitting, beach, day, cloudy, photo, bright, colourful",
        "relief",
        ("sunglasses", "sitting", "beach", "lifebuoy"),
        ("sunglasses",),
    ),
    # planted: a wrong face
    Case(
        "A smiling person sits in an office with a book.",
        "book, crying, sitting, office, day, rain, photo, dark, pale",
        "shame",
        ("smiling", "sitting", "office", "book"),
        ("smiling",),
    ),
    Case(
        "Tears stream down her cheeks as she waves.",
        "rose, smiling, waving, park, day, clear, photo, bright, colourful",
        "affection",
        ("crying", "waving"),
        ("crying",),
    ),
    Case(
        "He scowls at the trash can as though it had insulted him.",
        "trash can, grimacing, standing, dump, day, cloudy, photo, bright, pale",
        "disgust",
        ("scowling", "trash can"),
        ("scowling",),
    ),
    Case(
        "With a perfectly blank face the woman stands among the headstones.",
        "broken heart, crying, standing, graveyard, night, fog, painting, dark, pale",
        "sadness",
        ("neutral", "standing", "graveyard"),
        ("neutral",),
    ),
    Case(
        "The jaw has dropped, the mouth is wide open; you can almost hear the gasp at the snake.",
        "snake, wide-eyed, standing, forest, day, clear, photo, bright, colourful",
        "nervousness",
        ("open-mouthed", "snake"),
        ("open-mouthed",),
    ),
    Case(
        "It is the goggling eyes, huge and round, that reveal how exasperated he is with the clock.",
        "alarm clock, scowling, sitting, bedroom, night, clear, photo, dark, pale",
        "exasperation",
        ("wide-eyed", "alarm clock"),
        ("wide-eyed",),
    ),
    Case(
        "Pulling a face and sticking out the tongue, a figure jumps on the mountain meadow.",
        "trophy, smiling, jumping, mountain, day, clear, painting, bright, colourful",
        "pride",
        ("grimacing", "jumping", "mountain"),
        ("grimacing",),
    ),
    Case(
        "Grinning broadly, the man in the street feels left alone by everybody, and the withered plant agrees.",
        "wilted flower, neutral, standing, city street, day, rain, photo, dark, pale",
        "neglect",
        ("smiling", "city street", "wilted flower"),
        ("smiling",),
    ),
    # planted: a wrong action
    Case(
        "The man is sitting on the sand, a lifebuoy within reach.",
        "lifebuoy, smiling, standing, beach, day, clear, photo, bright, colourful",
        "relief",
        ("sitting", SAND, "lifebuoy"),
        ("sitting",),
    ),
    Case(
        "She crouches in the graveyard and cries.",
        "lamp, crying, walking, graveyard, night, rain, photo, dark, pale",
        "sympathy",
        ("crouching", "graveyard", "crying"),
        ("crouching",),
    ),
    Case(
        "A person leaps high into the air in front of a heap of trash, teeth bared in a scowl.",
        "bonfire, scowling, sitting, dump, day, storm, photo, dark, colourful",
        "rage",
        ("jumping", "dump", "scowling"),
        ("jumping",),
    ),
    Case(
        "Raising a hand in greeting, someone with a green face and a screwed-up nose turns away from the bin.",
        "trash can, grimacing, crouching, city street, day, fog, photo, bright, pale",
        "disgust",
        ("waving", "grimacing", "trash can"),
        ("waving",),
    ),
    Case(
        "A stroll through the woods, a stroll past a chair, a smile: life is good.",
        "chair, smiling, waving, forest, day, clear, painting, bright, colourful",
        "cheerfulness",
        ("walking", "forest", "chair", "smiling"),
        ("walking",),
    ),
    Case(
        "The figure stands upright, quite still, staring wide-eyed at the phantom.",
        "ghost, wide-eyed, crouching, desert, night, clear, abstract, dark, pale",
        "horror",
        ("standing", "wide-eyed", "ghost"),
        ("standing",),
    ),
    Case(
        "In this photo a hopeful woman squats down to look at a sunflower.",
        "sunflower, smiling, jumping, park, day, clear, photo, bright, colourful",
        "optimism",
        ("photo", "crouching", "sunflower"),
        ("crouching",),
    ),
    Case(
        "Seated comfortably, he lets the fog drift past the office window.",
        "umbrella, neutral, walking, office, day, fog, photo, bright, pale",
        "contentment",
        ("sitting", "fog", "office"),
        ("sitting",),
    ),
    # planted: a wrong place
    Case(
        "A beaming woman jumps on a sunny beach.",
        "balloons, smiling, jumping, park, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("smiling", "jumping", "clear", "beach"),
        ("beach",),
    ),
    Case(
        "Between the graves, a ghost floats towards the frightened visitor.",
        "ghost, wide-eyed, crouching, bedroom, night, fog, photo, dark, pale",
        "horror",
        ("graveyard", "ghost"),
        ("graveyard",),
    ),
    Case(
        "The office looks deserted but for a man who sheds tears.",
        "backpack, crying, standing, desert, sunset, cloudy, painting, dark, pale",
        "neglect",
        ("office", "crying"),
        ("office",),
    ),
    Case(
        "High up in the mountains somebody has found a trophy.",
        "trophy, open-mouthed, standing, forest, day, snow, painting, bright, pale",
        "surprise",
        ("mountain", "trophy"),
        ("mountain",),
    ),
    Case(
        "The bed behind her and the rose in front of her speak of desire.",
        "rose, smiling, sitting, city street, night, clear, photo, dark, colourful",
        "lust",
        ("bedroom", "rose"),
        ("bedroom",),
    ),
    Case(
        "Cacti and dunes surround a bicycle.",
        "bicycle, neutral, standing, mountain, day, clear, painting, bright, colourful",
        "confusion",
        ("desert", "bicycle"),
        ("desert",),
    ),
    Case(
        "The scene evokes disgust because of the landfill and the grimace.",
        "snake, grimacing, crouching, beach, day, cloudy, photo, bright, pale",
        "disgust",
        ("dump", "grimacing"),
        ("dump",),
    ),
    Case(
        "A busy road lined with tall buildings; in front of it, a cheery soul with an umbrella.",
        "umbrella, smiling, waving, bedroom, day, rain, abstract, bright, colourful",
        "cheerfulness",
        ("city street", "umbrella"),
        ("city street",),
    ),
    # planted: wrong weather, hour, style or light
    Case(
        "Thick snow falls on the red car.",
        "car, neutral, walking, city street, day, clear, photo, bright, colourful",
        "nervousness",
        ("snow", "car"),
        ("snow",),
    ),
    Case(
        "It is a rainy night in the park.",
        "lamp, crying, sitting, park, night, fog, photo, dark, pale",
        "sadness",
        ("rain", "night", "park"),
        ("rain",),
    ),
    Case(
        "The moon hangs over the beach where a man smiles at the camera he has brought.",
        "camera, smiling, standing, beach, day, clear, photo, bright, colourful",
        "gratitude",
        ("night", "beach", "smiling", "camera"),
        ("night",),
    ),
    Case(
        "As the sun sets, a bonfire warms the wanderer in the desert.",
        "bonfire, smiling, sitting, desert, night, clear, photo, dark, colourful",
        "relief",
        ("sunset", "bonfire", "desert"),
        ("sunset",),
    ),
    Case(
        "This photograph shows a man with a book in the forest.",
        "book, open-mouthed, walking, forest, day, fog, abstract, bright, pale",
        "enthrallment",
        ("photo", "book", "forest"),
        ("photo",),
    ),
    Case(
        "Loose brushstrokes on canvas render a crying figure next to a broken heart.",
        "broken heart, crying, standing, bedroom, night, storm, photo, dark, pale",
        "shame",
        ("painting", "crying", "broken heart"),
        ("painting",),
    ),
    Case(
        "A dark, underexposed image of somebody walking past a chair.",
        "chair, scowling, walking, office, day, cloudy, photo, bright, pale",
        "envy",
        ("dark", "walking", "chair"),
        ("dark",),
    ),
    Case(
        "Vibrant colours everywhere, a teacup, a contented smile.",
        "teacup, smiling, sitting, bedroom, day, clear, photo, bright, pale",
        "contentment",
        ("colourful", "teacup", "smiling"),
        ("colourful",),
    ),
    # planted: an emotion against the label
    Case(
        "The scene evokes joy: the person sits at the foot of a tombstone.",
        "broken heart, crying, sitting, graveyard, night, rain, photo, dark, pale",
        "sadness",
        ("sitting", "graveyard"),
        ("felt:joy",),
    ),
    Case(
        "Furious, the woman jumps up from behind the balloons.",
        "balloons, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("jumping", "balloons"),
        ("felt:rage",),
    ),
    Case(
        "A mouth that stands wide open at the sight of a gift: this is envy.",
        "gift, open-mouthed, standing, mountain, day, clear, painting, bright, colourful",
        "surprise",
        ("open-mouthed", "gift"),
        ("felt:envy",),
    ),
    Case(
        "He crouches in the bedroom because he is afraid.",
        "broken heart, crying, crouching, bedroom, night, fog, photo, dark, pale",
        "shame",
        ("crouching", "bedroom"),
        ("felt:fear",),
    ),
    Case(
        "The trash can fills the viewer with pride.",
        "trash can, grimacing, standing, dump, day, clear, photo, bright, pale",
        "disgust",
        ("trash can",),
        ("felt:pride",),
    ),
    Case(
        "What I feel when I look at the ghost is, above all, gratitude.",
        "ghost, wide-eyed, standing, forest, night, fog, painting, dark, pale",
        "horror",
        ("ghost",),
        ("felt:gratitude",),
    ),
    Case(
        "The ringing clock leaves him not cheerful but deeply ashamed, and he glares at it.",
        "alarm clock, scowling, standing, bedroom, day, clear, photo, bright, pale",
        "irritability",
        ("alarm clock", "scowling"),
        ("felt:shame",),
    ),
    # planted: two errors
    Case(
        "An old fisherman sits in a boat among the cacti, smiling at a camera.",
        "camera, smiling, standing, desert, day, clear, photo, bright, colourful",
        "optimism",
        ("sitting", "boat", "desert", "smiling", "camera"),
        ("sitting", "boat"),
    ),
    Case(
        "The weeping man in the forest is disgusted by the rose.",
        "rose, crying, standing, graveyard, day, fog, photo, dark, pale",
        "sympathy",
        ("crying", "forest", "rose"),
        ("forest", "felt:disgust"),
    ),
    Case(
        "It is snowing on the beach and a guitar lies half buried.",
        "lifebuoy, crying, standing, beach, sunset, rain, painting, dark, pale",
        "suffering",
        ("snow", "beach", "guitar"),
        ("snow", "guitar"),
    ),
)
