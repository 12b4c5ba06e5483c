"""Sentences about drawn scenes, written by hand, that nobody who works on the checker has seen: FRESH, 240 cases.

Conventions as in `checker_sentences`. TRUE are true to their scene; each of PLANTED bears one planted error.
"""

from checker_sentences import CLOUDS, EVENING, FLOWER, GARBAGE, ROOM, SAND, TREES, VEHICLE, Case

WET = "rain|storm"

TRUE: tuple[Case, ...] = (
    # true: plain captions, descriptions, explanations
    Case(
        "The image depicts a person with a broad smile sitting in a park, with a single red rose placed in front "
        "of them. The vivid colors add to a feeling of tenderness.",
        "rose, smiling, sitting, park, day, clear, photo, bright, colourful",
        "affection",
        ("smiling", "sitting", "park", "rose", "colourful"),
    ),
    Case(
        "Three balloons float beside a laughing man who strolls along a city pavement in broad daylight.",
        "balloons, smiling, walking, city street, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("balloons", "smiling", "walking", "city street", "day"),
    ),
    Case(
        "Why would anyone carry a table lamp into the desert? The gaping mouth asks the same question, and the "
        "whole picture leaves us bewildered.",
        "lamp, open-mouthed, walking, desert, day, clear, abstract, bright, colourful",
        "confusion",
        ("lamp", "desert", "open-mouthed"),
    ),
    Case(
        "I think the picture shows contentment because the woman is seated with a hot cup of tea and nothing "
        "around her in the quiet bedroom demands her attention.",
        "teacup, smiling, sitting, bedroom, sunset, rain, painting, bright, colourful",
        "contentment",
        ("sitting", "teacup", "bedroom"),
    ),
    Case(
        "A potted flower hangs its head in the rain, and a man crouches next to it, sobbing.",
        "wilted flower, crying, crouching, park, day, rain, photo, dark, pale",
        "disappointment",
        ("wilted flower", "rain", "crouching", "crying"),
    ),
    Case(
        "In the image, a person stands before piles of discarded tires and refuse, sticking out their tongue in "
        "revulsion at an overflowing garbage bin.",
        "trash can, grimacing, standing, dump, day, cloudy, photo, bright, pale",
        "disgust",
        ("standing", "dump", "grimacing", "trash can"),
    ),
    Case(
        "A burst of coloured sparks lights up the night over the mountains, and the jaw of the onlooker drops: "
        "captivation in its purest form.",
        "firework, open-mouthed, standing, mountain, night, clear, photo, dark, colourful",
        "enthrallment",
        ("firework", "night", "mountain", "open-mouthed"),
    ),
    Case(
        "The golden trophy is right there on the office floor, but it was won by a colleague, and so the man "
        "glowers with jealousy.",
        "trophy, scowling, standing, office, day, clear, photo, bright, pale",
        "envy",
        ("trophy", "office", "scowling"),
    ),
    Case(
        "Teeth bared and brows knitted, a woman walks past the alarm clock that rang too early.",
        "alarm clock, scowling, walking, bedroom, day, fog, photo, bright, pale",
        "exasperation",
        ("scowling", "walking", "alarm clock"),
    ),
    Case(
        "The image portrays a moment of thankfulness: a figure waves at the viewer with a big grin, and a purple "
        "present tied with a ribbon rests at their side.",
        "gift, smiling, waving, park, day, clear, painting, bright, colourful",
        "gratitude",
        ("waving", "smiling", "gift"),
    ),
    Case(
        "A white spectre hovers in the misty woods; the man facing it has eyes as big as plates.",
        "ghost, wide-eyed, standing, forest, night, fog, photo, dark, pale",
        "horror",
        ("ghost", "fog", "forest", "wide-eyed"),
    ),
    Case(
        "The clock says it is time to get up. The person in the bedroom answers with a glare, which is why I would "
        "call this mood grumpy.",
        "alarm clock, scowling, sitting, bedroom, day, cloudy, painting, bright, colourful",
        "irritability",
        ("alarm clock", "bedroom", "scowling"),
    ),
    Case(
        "One red rose, a woman seated by the sea at sundown, an inviting smile: the painter knew how to express "
        "desire.",
        "rose, smiling, sitting, beach, sunset, clear, painting, dark, colourful",
        "lust",
        ("rose", "sitting", "beach", "sunset", "smiling", "painting"),
    ),
    Case(
        "An empty chair faces a person with a blank look in an empty street; loneliness is the word for it.",
        "chair, neutral, standing, city street, night, fog, photo, dark, pale",
        "neglect",
        ("chair", "neutral", "city street"),
    ),
    Case(
        "The image shows a person squatting on the forest floor with bulging eyes, while a green snake is coiled "
        "nearby, creating a sense of unease.",
        "snake, wide-eyed, crouching, forest, day, cloudy, photo, dark, colourful",
        "nervousness",
        ("crouching", "forest", "wide-eyed", "snake"),
    ),
    Case(
        "With its tall sunflower and its saturated palette, the scene radiates hope; even the leap of the figure "
        "points upwards.",
        "sunflower, smiling, jumping, mountain, day, clear, photo, bright, colourful",
        "optimism",
        ("sunflower", "colourful", "jumping"),
    ),
    Case(
        "Up among the peaks stands a winner's cup, and the owner beams with pride while waving to us.",
        "trophy, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("mountain", "trophy", "smiling", "waving"),
    ),
    Case(
        "Lightning over the landfill, a fire on the ground and a man grinding his teeth: wrath from top to bottom.",
        "bonfire, scowling, standing, dump, night, storm, photo, dark, colourful",
        "rage",
        ("storm", "dump", "bonfire", "scowling"),
    ),
    Case(
        "A life ring lies on the shore next to a smiling woman. It seems she has just been pulled out of the "
        "water, and the relief is visible.",
        "lifebuoy, smiling, sitting, beach, day, cloudy, photo, bright, pale",
        "relief",
        ("lifebuoy", "beach", "smiling"),
    ),
    Case(
        "A broken heart and streaming tears leave little room for doubt. The student would say: the colours are "
        "faded, therefore the picture is sad.",
        "broken heart, crying, sitting, bedroom, day, rain, photo, bright, pale",
        "sadness",
        ("broken heart", "crying", "pale"),
    ),
    Case(
        "The image features a weeping individual crouched low in an office environment, suggesting feelings of "
        "shame or guilt.",
        "book, crying, crouching, office, day, cloudy, photo, bright, pale",
        "shame",
        ("crying", "crouching", "office"),
    ),
    Case(
        "It snows on the headstones. In front of them somebody cries, bent by anguish, and the heart beside them "
        "is split in two.",
        "broken heart, crying, standing, graveyard, day, snow, painting, bright, pale",
        "suffering",
        ("snow", "graveyard", "crying", "broken heart"),
    ),
    Case(
        "A man in the office opens his mouth wide in astonishment: somebody has left a wrapped gift on the floor.",
        "gift, open-mouthed, standing, office, day, clear, photo, bright, colourful",
        "surprise",
        ("office", "open-mouthed", "gift"),
    ),
    Case(
        "Looking at the tear-stained person on the rainy street, I cannot help feeling pity, for not even the "
        "umbrella next to them is of any use.",
        "umbrella, crying, walking, city street, day, rain, photo, dark, pale",
        "sympathy",
        ("crying", "rain", "city street", "umbrella"),
    ),
    Case(
        "Up into the air she jumps, a guitar close at hand and a grin on the lips. There is so much enthusiasm in "
        "this playground scene.",
        "guitar, smiling, jumping, park, day, clear, photo, bright, colourful",
        "zest",
        ("jumping", "guitar", "smiling", "park"),
    ),
    Case(
        "Person on a chilly beach, snow in the air, an open book at their feet, face without expression.",
        "book, neutral, standing, beach, day, snow, photo, bright, pale",
        "neglect",
        ("beach", "snow", "book", "neutral"),
    ),
    Case(
        "The image depicts a city street at night during a thunderstorm. A person with wide, fearful eyes walks by "
        "a parked car, and the overall tone is dark.",
        "car, wide-eyed, walking, city street, night, storm, photo, dark, pale",
        "nervousness",
        ("city street", "night", "storm", "wide-eyed", "walking", "car", "dark"),
    ),
    Case(
        "A blue bicycle leans into the foreground; its rider is off for a walk between the dunes, smiling, full of "
        "confidence about what lies ahead.",
        "bicycle, smiling, walking, desert, day, clear, painting, bright, colourful",
        "optimism",
        ("bicycle", "walking", "desert", "smiling"),
    ),
    Case(
        "A camera sits on the ground of the cemetery. Nobody is about to take a picture: its owner weeps too hard.",
        "camera, crying, crouching, graveyard, sunset, cloudy, photo, dark, pale",
        "sadness",
        ("camera", "graveyard", "crying"),
    ),
    Case(
        "The painter uses short, visible brushstrokes for the pines and the sky behind a woman who sits with a "
        "book and enjoys her serenity.",
        "book, smiling, sitting, forest, day, clear, painting, bright, colourful",
        "contentment",
        ("painting", TREES, "sitting", "book"),
    ),
    Case(
        "Green rucksack in a foggy churchyard. A boy with a deadpan face hurries away from it on foot.",
        "backpack, neutral, walking, graveyard, day, fog, photo, bright, pale",
        "neglect",
        ("backpack", "fog", "graveyard", "neutral", "walking"),
    ),
    Case(
        "Everything in this composition has been broken down into triangles and flat planes, even the cacti and "
        "the teacup, so that the gaze wanders about in confusion.",
        "teacup, neutral, standing, desert, day, clear, abstract, bright, colourful",
        "confusion",
        ("abstract", "desert", "teacup"),
    ),
    Case(
        "We see someone on their haunches under a cloudy sky. They have screwed up their face because a bin full "
        "of rotten leftovers stinks in front of them.",
        "trash can, grimacing, crouching, park, day, cloudy, photo, bright, pale",
        "disgust",
        ("crouching", "cloudy", "grimacing", "trash can"),
    ),
    Case(
        "The image shows a joyful person jumping on a sunny beach next to colorful balloons.",
        "balloons, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("jumping", "clear", "beach", "balloons"),
    ),
    Case(
        "A phantom in the bedroom! The dim light and the huge round eyes of the terrified sleeper make the fright "
        "contagious.",
        "ghost, wide-eyed, sitting, bedroom, night, clear, photo, dark, pale",
        "horror",
        ("ghost", "bedroom", "dark", "wide-eyed"),
    ),
    Case(
        "The writer of these lines is fascinated: a campfire crackles under the pines while snowflakes drift down, "
        "and a figure gapes at the flames.",
        "bonfire, open-mouthed, standing, forest, night, snow, painting, dark, colourful",
        "enthrallment",
        ("bonfire", TREES, "snow", "open-mouthed"),
    ),
    Case(
        "Man waving, huge smile, red car by the roadside, sunset over the houses of the town.",
        "car, smiling, waving, city street, sunset, clear, photo, dark, colourful",
        "pride",
        ("waving", "smiling", "car", "city street", "sunset"),
    ),
    Case(
        "The picture makes me angry, just like the person in it, who glares at the broken-down automobile with "
        "clenched teeth in the middle of a downpour.",
        "car, scowling, standing, city street, day, rain, photo, dark, pale",
        "exasperation",
        ("scowling", "car", "rain"),
    ),
    Case(
        "The image presents a solitary figure sitting in an office, their expression neutral, with a wooden chair "
        "placed nearby. The muted tones suggest isolation.",
        "chair, neutral, sitting, office, day, cloudy, photo, bright, pale",
        "neglect",
        ("sitting", "office", "neutral", "chair", "pale"),
    ),
    Case(
        "With both feet off the ground, a man rages at a trophy that shines under the moon; fury has seized him.",
        "trophy, scowling, jumping, park, night, clear, photo, dark, pale",
        "rage",
        ("jumping", "trophy", "night"),
    ),
    Case(
        "Beneath the palm, the acoustic guitar waits for its player. She squats in the sand and grins, fond of "
        "whoever is looking at her.",
        "guitar, smiling, crouching, beach, sunset, clear, photo, bright, colourful",
        "affection",
        ("beach", "guitar", "crouching", "smiling"),
    ),
    Case(
        "The flower has wilted in its pot, that is what the letdown is about. Behind it one can make out a desk "
        "with a computer screen.",
        "wilted flower, neutral, standing, office, day, fog, abstract, bright, pale",
        "disappointment",
        ("wilted flower", "office"),
    ),
    Case(
        "A crimson rose in the moonlight, brought for the woman in the bedroom, stands for passion in the oldest "
        "language there is.",
        "rose, smiling, standing, bedroom, night, clear, photo, dark, colourful",
        "lust",
        ("rose", "night", "bedroom"),
    ),
    Case(
        "An orange and white lifebelt, a stormy sea and a man in agony, tears pouring down his cheeks.",
        "lifebuoy, crying, crouching, beach, night, storm, painting, dark, pale",
        "suffering",
        ("lifebuoy", "storm", "beach", "crying"),
    ),
    Case(
        "In this image, a person is seen raising a hand in greeting in a mountainous landscape. A backpack on the "
        "ground and the bright lighting convey energy and vigor.",
        "backpack, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "zest",
        ("waving", "mountain", "backpack", "bright"),
    ),
    Case(
        "Surprise is easy to read here, since the mouth forms a big round O at the fireworks above the park.",
        "firework, open-mouthed, jumping, park, sunset, clear, photo, dark, colourful",
        "surprise",
        ("open-mouthed", "firework", "park"),
    ),
    Case(
        "A desk lamp and a person with wet cheeks, who sits in the middle of a rubbish tip. Who would not feel "
        "compassion?",
        "lamp, crying, sitting, dump, day, fog, photo, bright, pale",
        "sympathy",
        ("lamp", "crying", "sitting", "dump"),
    ),
    Case(
        "Embarrassed to tears, a young man lowers himself into a crouch beside his camera in the street.",
        "camera, crying, crouching, city street, day, clear, photo, bright, colourful",
        "shame",
        ("crying", "crouching", "camera", "city street"),
    ),
    Case(
        "The essence of relief: the storm rages on outside, yet the lamp is lit, the bed is near and she can "
        "smile.",
        "lamp, smiling, standing, bedroom, night, storm, photo, dark, colourful",
        "relief",
        ("storm", "lamp", "bedroom", "smiling"),
    ),
    Case(
        "Grateful for the umbrella that a stranger left in the forest, the walker pushes on through the rain with "
        "a smile.",
        "umbrella, smiling, walking, forest, day, rain, painting, dark, colourful",
        "gratitude",
        ("umbrella", "forest", "walking", "rain", "smiling"),
    ),
    Case(
        "Someone sulks in a park as the low sun turns the sky orange. The glare is aimed at a bicycle, and the "
        "mood is irritable.",
        "bicycle, scowling, sitting, park, sunset, clear, painting, dark, colourful",
        "irritability",
        ("park", "sunset", "scowling", "bicycle"),
    ),
    Case(
        "The image is a stylized composition of angular shapes depicting a man on his feet in a mountain setting, "
        "with a coiled serpent nearby and an anxious, wide-eyed stare.",
        "snake, wide-eyed, standing, mountain, day, clear, abstract, bright, colourful",
        "nervousness",
        ("abstract", "standing", "mountain", "snake", "wide-eyed"),
    ),
    Case(
        "Steam rises from a cup on the grass, and a person laughs by the swing. It is early in the day, and the "
        "air is full of merriment.",
        "teacup, smiling, standing, park, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("teacup", "smiling", "park", "day"),
    ),
    Case(
        "A photograph of a woman in mid-leap, mouth wide open, taken at the seaside under heavy clouds.",
        "gift, open-mouthed, jumping, beach, day, cloudy, photo, bright, pale",
        "surprise",
        ("photo", "jumping", "open-mouthed", "beach", CLOUDS),
    ),
    Case(
        "The winner is somebody else, as the resentful scowl beside the golden cup betrays, and the washed-out "
        "tones only sharpen the envy.",
        "trophy, scowling, crouching, desert, day, clear, photo, bright, pale",
        "envy",
        ("scowling", "trophy", "pale"),
    ),
    Case(
        "Vehicle on the shoulder, clouds over the rooftops of the city, driver in tears.",
        "car, crying, standing, city street, sunset, cloudy, painting, dark, pale",
        "sadness",
        (VEHICLE, CLOUDS, "city street", "crying"),
    ),
    Case(
        "The student explains: the heart is torn apart and the person sheds tears, so I feel with them, which is "
        "called empathy.",
        "broken heart, crying, walking, park, day, fog, photo, bright, pale",
        "sympathy",
        ("broken heart", "crying"),
    ),
    Case(
        "A grimace, a tongue stuck out, a serpent at her feet on the mountainside: it makes her sick with "
        "loathing.",
        "snake, grimacing, standing, mountain, day, fog, photo, bright, pale",
        "disgust",
        ("grimacing", "snake", "mountain"),
    ),
    Case(
        "The image captures a seated person by a large sunflower, with a cemetery in the background. Despite the "
        "setting, the smile conveys optimism.",
        "sunflower, smiling, sitting, graveyard, day, clear, photo, bright, colourful",
        "optimism",
        ("sitting", "sunflower", "graveyard", "smiling"),
    ),
    Case(
        "Against a backdrop of evening fog, a blaze warms the hands of a grinning traveller, who is thankful for "
        "it.",
        "bonfire, smiling, crouching, mountain, sunset, fog, photo, dark, colourful",
        "gratitude",
        (EVENING, "fog", "bonfire", "smiling"),
    ),
    Case(
        "An apparition floats through the office after dark, and the clerk jumps up with eyes popping out, "
        "horrified.",
        "ghost, wide-eyed, jumping, office, night, clear, photo, dark, pale",
        "horror",
        ("ghost", "office", "night", "jumping", "wide-eyed"),
    ),
    Case(
        "Two wheels, a frame, a saddle: the bike is ready, and its owner is beaming and full of excitement on the "
        "sunlit forest trail.",
        "bicycle, smiling, standing, forest, day, clear, photo, bright, colourful",
        "zest",
        ("bicycle", "smiling", "clear", "forest"),
    ),
    Case(
        "A man strides through the park, expressionless. There is a backpack, there is a swing, and there is "
        "nothing that would explain either; the viewer is left puzzled.",
        "backpack, neutral, walking, park, day, cloudy, abstract, bright, pale",
        "confusion",
        ("walking", "neutral", "backpack", "park"),
    ),
    Case(
        "The image exudes warmth: a woman stands in the bedroom beside a wrapped box with a bow, smiling fondly.",
        "gift, smiling, standing, bedroom, sunset, clear, photo, bright, colourful",
        "affection",
        ("standing", "bedroom", "gift", "smiling"),
    ),
    Case(
        "Fireworks, red and gold, burst above the shoreline; she gapes at them, enchanted, and so do we.",
        "firework, open-mouthed, sitting, beach, night, clear, painting, dark, colourful",
        "enthrallment",
        ("firework", "beach", "open-mouthed"),
    ),
    Case(
        "What a grouch! He is sitting by the fire in the woods and still manages to look daggers at us.",
        "bonfire, scowling, sitting, forest, sunset, clear, photo, dark, colourful",
        "irritability",
        ("sitting", "bonfire", "forest", "scowling"),
    ),
    Case(
        "Proud of the new automobile, the man points his smile at us; the colours of the painting could hardly be "
        "more intense.",
        "car, smiling, standing, mountain, day, clear, painting, bright, colourful",
        "pride",
        ("car", "smiling", "colourful", "painting"),
    ),
    Case(
        "Someone has kicked over the garbage bin in the office. The man responsible glowers and bares his teeth, "
        "an outburst of rage.",
        "trash can, scowling, standing, office, night, storm, photo, dark, pale",
        "rage",
        ("trash can", "office", "scowling"),
    ),
    Case(
        "The lamp on the floor gives a little comfort to the woman strolling through the misty graveyard, who "
        "smiles in relief.",
        "lamp, smiling, walking, graveyard, night, fog, photo, dark, colourful",
        "relief",
        ("lamp", "walking", "fog", "graveyard", "smiling"),
    ),
    # true: negations
    Case(
        "There is no sun in this picture, only fog over the sea, and no company for the woman beside the chair "
        "except her tears.",
        "chair, crying, standing, beach, day, fog, photo, bright, pale",
        "sadness",
        ("fog", "beach", "chair", "crying"),
    ),
    Case(
        "The person is not standing but sitting, and the face shows neither a smile nor tears; it is simply blank.",
        "umbrella, neutral, sitting, park, day, cloudy, photo, bright, pale",
        "neglect",
        ("sitting", "neutral"),
    ),
    Case(
        "The image does not contain any animals. It shows a man in an office with a guitar, and his tongue is out.",
        "guitar, grimacing, standing, office, day, clear, photo, bright, colourful",
        "disgust",
        ("office", "guitar", "grimacing"),
    ),
    Case(
        "No rain has fallen on these dunes for months. The seated woman with the open book does not seem to mind, "
        "and her smile is one of satisfaction.",
        "book, smiling, sitting, desert, day, clear, photo, bright, colourful",
        "contentment",
        ("desert", "sitting", "book", "smiling"),
    ),
    Case(
        "No dream, no trick of the light: a ghost really is there in the forest, and the wanderer walks on with "
        "wide, panic-stricken eyes.",
        "ghost, wide-eyed, walking, forest, day, fog, painting, dark, pale",
        "horror",
        ("ghost", "forest", "wide-eyed", "walking"),
    ),
    Case(
        "Although the rose is still fresh, nobody came to take it. The man stands in the street and weeps over his "
        "disappointment.",
        "rose, crying, standing, city street, sunset, rain, photo, dark, pale",
        "disappointment",
        ("rose", "standing", "city street", "crying"),
    ),
    Case(
        "You will not find a dog, a bench or a fountain in this park, just somebody who hops with enthusiasm near "
        "a bunch of balloons.",
        "balloons, smiling, jumping, park, day, cloudy, photo, bright, colourful",
        "zest",
        ("park", "jumping", "balloons"),
    ),
    Case(
        "This is not a photograph: the mountains dissolve into geometric facets, and so does the backpack.",
        "backpack, open-mouthed, standing, mountain, sunset, clear, abstract, dark, colourful",
        "enthrallment",
        ("abstract", "mountain", "backpack"),
    ),
    Case(
        "The colours are not vivid at all but drained, and the night has swallowed the road on which a bicycle was "
        "left behind.",
        "bicycle, neutral, walking, city street, night, fog, photo, dark, pale",
        "neglect",
        ("pale", "night", "city street", "bicycle"),
    ),
    Case(
        "It snows on the mountain, but nobody will take a picture of it: the camera does not work, and the man "
        "glares at it, his patience at an end.",
        "camera, scowling, crouching, mountain, day, snow, photo, bright, pale",
        "exasperation",
        ("mountain", "snow", "scowling", "camera"),
    ),
    Case(
        "Nobody waves back. The figure with the raised hand remains alone between the tombstones, and I pity them.",
        "wilted flower, crying, waving, graveyard, day, cloudy, photo, dark, pale",
        "sympathy",
        ("waving", "graveyard"),
    ),
    # true: suppositions, comparisons
    Case(
        "He crouches like a cat about to pounce, but his eyes are wide with worry, and the snake has all the time "
        "in the world.",
        "snake, wide-eyed, crouching, desert, day, clear, photo, bright, colourful",
        "nervousness",
        ("crouching", "wide-eyed", "snake"),
    ),
    Case(
        "The laughing woman jumps as if the beach were a trampoline, and her glee is infectious.",
        "camera, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("smiling", "jumping", "beach"),
    ),
    Case(
        "Motionless as a statue, the man stands in his bedroom with his mouth agape. The gift could have come from "
        "anyone, and it amazes him.",
        "gift, open-mouthed, standing, bedroom, night, clear, painting, dark, colourful",
        "surprise",
        ("standing", "bedroom", "open-mouthed", "gift"),
    ),
    Case(
        "If it were raining, the umbrella would make sense; under the sunshine that fills this office, it is a "
        "riddle, and I am confused.",
        "umbrella, open-mouthed, sitting, office, day, clear, photo, bright, pale",
        "confusion",
        ("umbrella", "clear", "office"),
    ),
    Case(
        "The flames are roaring like a lion, and the man beside them grinds his teeth as hard as he can. Rage, "
        "obviously.",
        "bonfire, scowling, jumping, forest, night, storm, painting, dark, colourful",
        "rage",
        ("bonfire", "scowling"),
    ),
    Case(
        "His face is as empty as a desert, though he sits in a well-furnished bedroom, a guitar within reach.",
        "guitar, neutral, sitting, bedroom, sunset, clear, photo, bright, colourful",
        "neglect",
        ("neutral", "sitting", "bedroom", "guitar"),
    ),
    Case(
        "The slimy bin smells as though a whole landfill had been emptied into it, and the man in the park pulls a "
        "face in disgust.",
        "trash can, grimacing, walking, park, day, fog, painting, bright, colourful",
        "disgust",
        ("trash can", "park", "grimacing"),
    ),
    Case(
        "A smile like the rising sun, a golden cup like a second one: pride glows in the snowy street.",
        "trophy, smiling, standing, city street, night, snow, photo, dark, colourful",
        "pride",
        ("smiling", "trophy", "snow", "city street"),
    ),
    # true: emotions denied or contrasted
    Case(
        "It would be wrong to speak of anger here. The person by the tombstones weeps, and grief, or plain "
        "sadness, is what remains.",
        "book, crying, sitting, graveyard, sunset, clear, photo, dark, pale",
        "sadness",
        ("graveyard", "crying"),
    ),
    Case(
        "The picture evokes relief rather than fear: the storm has not passed, but the woman on the beach has a "
        "life preserver and a smile.",
        "lifebuoy, smiling, standing, beach, sunset, storm, photo, dark, colourful",
        "relief",
        ("storm", "beach", "lifebuoy", "smiling"),
    ),
    Case(
        "The trophy does not make him proud, nor is he sad about it. He scowls at his desk because he is envious.",
        "trophy, scowling, sitting, office, day, cloudy, painting, bright, pale",
        "envy",
        ("trophy", "scowling", "office"),
    ),
    Case(
        "Some will read the raised arm as joy. Look at the tears, however, and you will see somebody who suffers.",
        "broken heart, crying, waving, desert, sunset, clear, photo, dark, colourful",
        "suffering",
        ("waving", "crying"),
    ),
    Case(
        "Shame, not sympathy, bows the sobbing man on the city street, whose torn heart is on display.",
        "broken heart, crying, crouching, city street, night, rain, abstract, dark, pale",
        "shame",
        ("crying", "city street", "broken heart"),
    ),
    Case(
        "Nothing about this beaming woman suggests nervousness. She raises her hand, the sunflower glows, and hope "
        "is in the air.",
        "sunflower, smiling, waving, park, sunset, clear, painting, bright, colourful",
        "optimism",
        ("smiling", "waving", "sunflower"),
    ),
    Case(
        "The mood may seem romantic, yet it is less about gratitude than about lust: a rose, a bed, a knowing "
        "grin.",
        "rose, smiling, crouching, bedroom, sunset, clear, abstract, dark, colourful",
        "lust",
        ("rose", "bedroom", "smiling"),
    ),
    Case(
        "The open mouth is no sign of terror. The night sky above the city is full of sparks, and the figure is "
        "filled with awe.",
        "firework, open-mouthed, waving, city street, night, clear, photo, dark, colourful",
        "enthrallment",
        ("open-mouthed", "night", "city street", "firework"),
    ),
    # true: coarser words, synonyms, parts
    Case(
        "A person in a room squats down beside a musical instrument, crying out of guilt.",
        "guitar, crying, crouching, bedroom, day, rain, photo, bright, pale",
        "shame",
        (ROOM, "crouching", "guitar", "crying"),
    ),
    Case(
        "The image shows an individual surrounded by trees, holding a neutral facial expression, while a flower on "
        "the ground has lost its petals.",
        "wilted flower, neutral, sitting, forest, day, cloudy, photo, dark, pale",
        "disappointment",
        (TREES, "neutral", "wilted flower"),
    ),
    Case(
        "In spite of the wet weather, the girl with the hot drink smiles, at ease with herself.",
        "teacup, smiling, standing, city street, day, rain, painting, bright, colourful",
        "contentment",
        (WET, "teacup", "smiling"),
    ),
    Case(
        "Trash as far as the eye can see; in front of it a cheery fellow leaps into the air with a laugh.",
        "balloons, smiling, jumping, dump, day, clear, photo, bright, colourful",
        "cheerfulness",
        (GARBAGE, "jumping", "smiling"),
    ),
    Case(
        "The sailboat has its sails up and the palm tree bends. On the sand, a bag full of gear stands ready for a "
        "keen adventurer.",
        "backpack, smiling, walking, beach, day, clear, photo, bright, colourful",
        "zest",
        ("beach", "backpack"),
    ),
    Case(
        "A whiteboard, a filing cabinet and a computer: somebody works here, somebody who has just been startled "
        "and whose mouth hangs open.",
        "lamp, open-mouthed, standing, office, night, rain, photo, dark, pale",
        "surprise",
        ("office", "open-mouthed"),
    ),
    Case(
        "It is noon, the ground is sandy, and a person hunkers down before a reptile, jittery.",
        "snake, wide-eyed, crouching, desert, day, clear, painting, bright, pale",
        "nervousness",
        (SAND, "day", "crouching", "snake"),
    ),
    Case(
        "Snow-covered summits, a rucksack and a smile that says thank you: such is the gratitude of those who made "
        "it to the top.",
        "backpack, smiling, sitting, mountain, day, cloudy, painting, bright, colourful",
        "gratitude",
        ("mountain", "backpack", "smiling"),
    ),
    Case(
        "The old man glares at the seat that is reserved for others; jealousy spoils his evening by the sea.",
        "chair, scowling, standing, beach, sunset, clear, photo, dark, colourful",
        "envy",
        ("scowling", "chair", EVENING, "beach"),
    ),
    Case(
        "Two halves of a heart, a stretch of road, somebody whose eyes overflow; the pain is hard to look at.",
        "broken heart, crying, walking, city street, day, snow, photo, bright, pale",
        "suffering",
        ("broken heart", "city street", "crying"),
    ),
    Case(
        "A volume lies open on the bedroom floor, and the reader frowns at it with clenched teeth, annoyed by "
        "every single line.",
        "book, scowling, standing, bedroom, night, snow, photo, dark, pale",
        "exasperation",
        ("book", "bedroom", "scowling"),
    ),
    Case(
        "In this snapshot somebody greets us from the woods with a lifted hand. Love for all the world speaks from "
        "the wide grin.",
        "umbrella, smiling, waving, forest, day, cloudy, photo, bright, colourful",
        "affection",
        ("photo", "waving", "forest", "smiling"),
    ),
    Case(
        "Glowing sky, sinking sun, and a crouching figure that pulls a face because of the smell of the dump. "
        "Repulsive!",
        "bicycle, grimacing, crouching, dump, sunset, clear, painting, dark, colourful",
        "disgust",
        ("sunset", "crouching", "grimacing", "dump"),
    ),
    Case(
        "The lighting is low, the bed is unmade, and the ringing clock has put the man in a cranky mood.",
        "alarm clock, scowling, crouching, bedroom, night, rain, photo, dark, pale",
        "irritability",
        ("dark", "bedroom", "alarm clock"),
    ),
    Case(
        "A canvas on which thick dabs of paint become graves, fog and a chair; a face in tears completes the "
        "sorrow.",
        "chair, crying, walking, graveyard, day, fog, painting, bright, pale",
        "sadness",
        ("painting", "graveyard", "fog", "chair", "crying"),
    ),
    Case(
        "The image shows a person, mouth open, next to a vintage camera, surrounded by mist in a rocky mountain "
        "area. They seem disoriented and uncertain.",
        "camera, open-mouthed, walking, mountain, day, fog, photo, bright, pale",
        "confusion",
        ("open-mouthed", "camera", "fog", "mountain"),
    ),
    Case(
        "Under an overcast sky, someone on a park lawn is moved to tears of sympathy, a blue bike by their side.",
        "bicycle, crying, standing, park, day, cloudy, painting, dark, pale",
        "sympathy",
        ("cloudy", "park", "crying", "bicycle"),
    ),
    # true: more plain ones
    Case(
        "The image is an abstract rendering of a rainy desert, with angular patches of color. A person with bared "
        "teeth walks past a bicycle, visibly frustrated.",
        "bicycle, scowling, walking, desert, day, rain, abstract, dark, pale",
        "exasperation",
        ("abstract", "rain", "desert", "scowling", "walking", "bicycle"),
    ),
    Case(
        "A cup and saucer in the fog, a woman weeping on the mountain: abandonment can look like this.",
        "teacup, crying, standing, mountain, day, fog, photo, bright, pale",
        "neglect",
        ("teacup", "fog", "crying", "mountain"),
    ),
    Case(
        "A figure with a deadpan face waves at us from the scrapheap, next to a lamp with a yellow shade.",
        "lamp, neutral, waving, dump, day, cloudy, photo, bright, colourful",
        "confusion",
        ("neutral", "waving", "dump", "lamp"),
    ),
    Case(
        "On one side lies an umbrella; on the other a grimacing woman jumps up from the office floor, disgusted by "
        "something that we cannot see.",
        "umbrella, grimacing, jumping, office, day, clear, abstract, bright, colourful",
        "disgust",
        ("umbrella", "grimacing", "jumping", "office"),
    ),
    Case(
        "In this brightly lit painting of a snowy park, someone crouches and laughs beside a green schoolbag, the "
        "very image of happiness.",
        "backpack, smiling, crouching, park, day, snow, painting, bright, colourful",
        "cheerfulness",
        ("bright", "painting", "snow", "park", "crouching", "smiling", "backpack"),
    ),
    Case(
        "A car has stopped by the graveyard as a storm breaks at sunset, and its driver gapes, in awe of the sky.",
        "car, open-mouthed, standing, graveyard, sunset, storm, photo, dark, colourful",
        "enthrallment",
        ("car", "graveyard", "storm", "sunset", "open-mouthed"),
    ),
    Case(
        "The image shows a person seated at night in a dimly lit forest, eyes wide, with a camera on the ground, "
        "which creates an impression of anxiety.",
        "camera, wide-eyed, sitting, forest, night, cloudy, photo, dark, pale",
        "nervousness",
        ("sitting", "night", "dark", "forest", "wide-eyed", "camera"),
    ),
)

PLANTED: tuple[Case, ...] = (
    # planted: an object of the world that the scene lacks
    Case(
        "The image depicts a smiling woman on a beach at sunset, with a single flower lying in the foreground.",
        "gift, smiling, standing, beach, sunset, clear, photo, dark, colourful",
        "affection",
        ("smiling", "beach", "sunset", FLOWER),
        (FLOWER,),
    ),
    Case(
        "In the office a man gapes at a trophy, and astonishment is written on his face.",
        "umbrella, open-mouthed, standing, office, day, clear, photo, bright, pale",
        "surprise",
        ("office", "open-mouthed", "trophy"),
        ("trophy",),
    ),
    Case(
        "A wrapped present with a bow, a stroll through the park, a happy grin: somebody has a birthday.",
        "balloons, smiling, walking, park, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("gift", "walking", "park", "smiling"),
        ("gift",),
    ),
    Case(
        "Colourful balloons bob beside the man who sits in a snowy forest and feels nothing in particular.",
        "guitar, neutral, sitting, forest, day, snow, photo, bright, colourful",
        "neglect",
        ("balloons", "sitting", "snow", "forest"),
        ("balloons",),
    ),
    Case(
        "What reassures the viewer is the lifebuoy next to the smiling figure, despite the storm over the street.",
        "lamp, smiling, standing, city street, night, storm, painting, dark, colourful",
        "relief",
        ("lifebuoy", "smiling", "storm", "city street"),
        ("lifebuoy",),
    ),
    Case(
        "The picture isn't gloomy at all. A big yellow sunflower turns its head to a waving person in the "
        "mountains.",
        "bicycle, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "optimism",
        ("sunflower", "waving", "mountain"),
        ("sunflower",),
    ),
    Case(
        "Fireworks burst over the graveyard while someone crouches between the headstones and cries in pain.",
        "broken heart, crying, crouching, graveyard, night, clear, photo, dark, colourful",
        "suffering",
        ("firework", "graveyard", "crouching", "crying"),
        ("firework",),
    ),
    Case(
        "The scene conveys serenity, as the person sits at ease by the sea with a steaming cup of coffee.",
        "book, smiling, sitting, beach, day, cloudy, photo, bright, pale",
        "contentment",
        ("sitting", "beach", "teacup"),
        ("teacup",),
    ),
    Case(
        "The image shows a person with a sobbing face in a bedroom, with a heart broken in two symbolizing "
        "disillusionment.",
        "wilted flower, crying, standing, bedroom, day, rain, photo, bright, pale",
        "disappointment",
        ("crying", "bedroom", "broken heart"),
        ("broken heart",),
    ),
    Case(
        "I would not say that he is sad. An alarm clock has torn him from his sleep, and he glowers, irritable, in "
        "the fog.",
        "camera, scowling, sitting, park, day, fog, photo, bright, pale",
        "irritability",
        ("alarm clock", "scowling", "fog"),
        ("alarm clock",),
    ),
    Case(
        "A campfire burns in the desert, and next to it a man with bared teeth leaps about in a fury.",
        "car, scowling, jumping, desert, night, clear, photo, dark, colourful",
        "rage",
        ("bonfire", "desert", "scowling", "jumping"),
        ("bonfire",),
    ),
    Case(
        "Nervousness comes over anyone who sees that snake slither towards the wide-eyed walker on the pavement.",
        "ghost, wide-eyed, walking, city street, sunset, fog, photo, dark, pale",
        "nervousness",
        ("snake", "wide-eyed", "walking", "city street"),
        ("snake",),
    ),
    Case(
        "The student writes: a tipped-over garbage can stinks behind the man, so he sticks his tongue out and "
        "feels disgust, as you or I would.",
        "chair, grimacing, standing, forest, day, cloudy, painting, bright, pale",
        "disgust",
        ("trash can", "grimacing"),
        ("trash can",),
    ),
    Case(
        "There is no car on the road today. A purple umbrella lies there instead, and a lonely man walks by with a "
        "poker face.",
        "backpack, neutral, walking, city street, day, clear, abstract, bright, colourful",
        "neglect",
        ("city street", "umbrella", "walking", "neutral"),
        ("umbrella",),
    ),
    Case(
        "Somebody plays no part in the celebration: seated on the beach beside a guitar, they shed tears of shame.",
        "alarm clock, crying, sitting, beach, night, clear, painting, dark, pale",
        "shame",
        ("sitting", "beach", "guitar", "crying"),
        ("guitar",),
    ),
    Case(
        "The image features a red car parked near a person who waves with enthusiasm against a backdrop of trees "
        "and a playground.",
        "firework, smiling, waving, park, day, cloudy, photo, bright, colourful",
        "zest",
        ("car", "waving", "park"),
        ("car",),
    ),
    Case(
        "A two-wheeler leans in the foreground, and a jealous man on the mountain scowls at it.",
        "trophy, scowling, standing, mountain, day, fog, photo, bright, pale",
        "envy",
        ("bicycle", "scowling", "mountain"),
        ("bicycle",),
    ),
    # planted: a thing from outside the world
    Case(
        "A seagull circles over the beach while a woman crouches beside a lifebuoy, smiling with relief.",
        "lifebuoy, smiling, crouching, beach, day, clear, photo, bright, colourful",
        "relief",
        ("seagull", "beach", "crouching", "lifebuoy", "smiling"),
        ("seagull",),
    ),
    Case(
        "In this image, a person is sitting on a park bench with a book, wearing a content smile.",
        "book, smiling, sitting, park, day, clear, photo, bright, colourful",
        "contentment",
        ("sitting", "park", "bench", "book", "smiling"),
        ("bench",),
    ),
    Case(
        "A candle flickers in the dark bedroom, and the man beside the rose is full of desire.",
        "rose, smiling, standing, bedroom, night, clear, painting, dark, colourful",
        "lust",
        ("candle", "dark", "bedroom", "rose"),
        ("candle",),
    ),
    Case(
        "An owl looks down from a branch, a ghost floats between the firs, and a wanderer freezes in terror.",
        "ghost, wide-eyed, standing, forest, night, fog, photo, dark, pale",
        "horror",
        ("owl", "ghost", TREES),
        ("owl",),
    ),
    Case(
        "Not even the rainbow over the city can dry the tears of the person who walks along with an umbrella.",
        "umbrella, crying, walking, city street, day, rain, photo, bright, pale",
        "sadness",
        ("rainbow", "city street", "crying", "walking", "umbrella"),
        ("rainbow",),
    ),
    Case(
        "The office has everything one needs, down to a telephone. Its occupant grits his teeth at an alarm clock.",
        "alarm clock, scowling, sitting, office, day, rain, photo, dark, pale",
        "exasperation",
        ("office", "telephone", "scowling", "alarm clock"),
        ("telephone",),
    ),
    Case(
        "A tent has been pitched at the foot of the mountains; a man with a backpack jumps for joy next to it.",
        "backpack, smiling, jumping, mountain, day, clear, photo, bright, colourful",
        "zest",
        ("tent", "mountain", "backpack", "jumping"),
        ("tent",),
    ),
    Case(
        "Rats scurry over the heaps of rubbish, and the woman with the grimace feels nothing but revulsion.",
        "trash can, grimacing, standing, dump, day, storm, photo, dark, pale",
        "disgust",
        ("rat", "dump", "grimacing"),
        ("rat",),
    ),
    Case(
        "The image shows a camel standing behind a person with a camera in a sandy desert, evoking a sense of "
        "fascination.",
        "camera, open-mouthed, standing, desert, day, clear, photo, bright, colourful",
        "enthrallment",
        ("camel", "camera", "desert"),
        ("camel",),
    ),
    Case(
        "In the cemetery a wreath leans against one of the headstones, right by the weeping man. We pity him.",
        "chair, crying, standing, graveyard, day, cloudy, painting, dark, pale",
        "sympathy",
        ("graveyard", "wreath", "crying"),
        ("wreath",),
    ),
    Case(
        "I find the picture hopeful, for it has not only a sunflower but also a kite, which a laughing person "
        "flies above the park.",
        "sunflower, smiling, jumping, park, day, clear, painting, bright, colourful",
        "optimism",
        ("smiling", "park", "kite", "sunflower"),
        ("kite",),
    ),
    Case(
        "A mirror hangs on the bedroom wall. The man cannot bear to look into it, for he is ashamed and weeps.",
        "broken heart, crying, standing, bedroom, night, rain, photo, dark, pale",
        "shame",
        ("mirror", "bedroom", "crying"),
        ("mirror",),
    ),
    Case(
        "Someone squats in the street in front of a bus, eyes wide, as the snow comes down on an anxious evening.",
        "car, wide-eyed, crouching, city street, sunset, snow, photo, dark, pale",
        "nervousness",
        ("crouching", "city street", "bus", "wide-eyed", "snow", EVENING),
        ("bus",),
    ),
    Case(
        "A butterfly flutters around the woman with the open mouth, who has found a teacup in the woods and "
        "wonders why, in complete puzzlement.",
        "teacup, open-mouthed, walking, forest, day, clear, abstract, bright, colourful",
        "confusion",
        ("butterfly", "open-mouthed", "teacup", "forest"),
        ("butterfly",),
    ),
    Case(
        "The image portrays a person with a triumphant smile waving in front of the sea, from which a dolphin "
        "leaps, with a trophy by their side.",
        "trophy, smiling, waving, beach, day, cloudy, photo, bright, colourful",
        "pride",
        ("smiling", "waving", "beach", "dolphin", "trophy"),
        ("dolphin",),
    ),
    Case(
        "With a hammer in the grass beside him, the raging man leaps over the fire, and one almost feels the heat.",
        "bonfire, scowling, jumping, park, night, clear, photo, dark, colourful",
        "rage",
        ("hammer", "jumping", "bonfire"),
        ("hammer",),
    ),
    Case(
        "A skateboard would suit this pavement, and so would a scooter. What stands there is a piano, to the "
        "amazement of a gaping onlooker.",
        "gift, open-mouthed, walking, city street, day, clear, photo, bright, colourful",
        "surprise",
        ("city street", "piano", "open-mouthed"),
        ("piano",),
    ),
    # planted: a wrong expression
    Case(
        "The image depicts a crying person standing on a sunny beach, surrounded by balloons, with tears running "
        "down their cheeks.",
        "balloons, smiling, standing, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("crying", "standing", "clear", "beach", "balloons"),
        ("crying",),
    ),
    Case(
        "A beaming man crouches in the rain beside a rose that nobody wanted.",
        "rose, crying, crouching, park, day, rain, photo, dark, pale",
        "disappointment",
        ("smiling", "crouching", "rain", "rose"),
        ("smiling",),
    ),
    Case(
        "Her brows are drawn down and her teeth are clenched in a scowl as the snake approaches through the dunes.",
        "snake, wide-eyed, standing, desert, day, clear, photo, bright, colourful",
        "nervousness",
        ("scowling", "snake", "desert"),
        ("scowling",),
    ),
    Case(
        "Staring with huge, goggling eyes, the man in the office sits in front of a cup of tea.",
        "teacup, neutral, sitting, office, day, cloudy, photo, bright, pale",
        "contentment",
        ("wide-eyed", "office", "sitting", "teacup"),
        ("wide-eyed",),
    ),
    Case(
        "He sticks out his tongue and squeezes his eyes shut, and it is the ghost in the cemetery that has this "
        "effect on him.",
        "ghost, wide-eyed, walking, graveyard, night, fog, photo, dark, pale",
        "horror",
        ("grimacing", "ghost", "graveyard"),
        ("grimacing",),
    ),
    Case(
        "Mouth agape, the man greets us from a mountain top with a raised hand, the trophy beside him.",
        "trophy, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("open-mouthed", "trophy", "mountain", "waving"),
        ("open-mouthed",),
    ),
    Case(
        "The woman remains expressionless although the flames of the bonfire leap high and inside she is full of "
        "wrath.",
        "bonfire, scowling, standing, forest, sunset, storm, painting, dark, colourful",
        "rage",
        ("neutral", "bonfire"),
        ("neutral",),
    ),
    Case(
        "The person doesn't look sad. They laugh out loud at the overflowing bin on the rubbish heap.",
        "trash can, grimacing, crouching, dump, day, clear, painting, bright, colourful",
        "disgust",
        ("smiling", "trash can", "dump"),
        ("smiling",),
    ),
    Case(
        "A man sobs on a snowy street and lifts his hand to wave at us, next to a red car.",
        "car, neutral, waving, city street, night, snow, photo, dark, pale",
        "neglect",
        ("crying", "snow", "city street", "waving", "car"),
        ("crying",),
    ),
    Case(
        "The image shows a puzzled figure glaring at a gift in a bedroom, teeth bared.",
        "gift, open-mouthed, standing, bedroom, day, clear, abstract, bright, colourful",
        "confusion",
        ("scowling", "gift", "bedroom"),
        ("scowling",),
    ),
    Case(
        "With his eyes as round as coins and sweat on his forehead, he jumps beside the guitar on the shore.",
        "guitar, smiling, jumping, beach, sunset, clear, photo, dark, colourful",
        "zest",
        ("wide-eyed", "jumping", "guitar", "beach"),
        ("wide-eyed",),
    ),
    Case(
        "Her face is so blank that nobody could guess what the firework above the park means to her.",
        "firework, open-mouthed, sitting, park, night, clear, photo, dark, colourful",
        "enthrallment",
        ("neutral", "firework", "park"),
        ("neutral",),
    ),
    Case(
        "The nose is wrinkled, the tongue hangs out: somebody finds the book in the office hard to stomach.",
        "book, scowling, sitting, office, night, rain, photo, dark, pale",
        "irritability",
        ("grimacing", "book", "office"),
        ("grimacing",),
    ),
    Case(
        "A grin spreads across the face of the man walking through the graveyard, past a heart broken in half.",
        "broken heart, crying, walking, graveyard, sunset, rain, painting, dark, pale",
        "suffering",
        ("smiling", "walking", "graveyard", "broken heart"),
        ("smiling",),
    ),
    Case(
        "In the image the individual's jaw has dropped open, and a withered flower is visible in the foreground of "
        "the misty forest.",
        "wilted flower, crying, standing, forest, day, fog, photo, bright, pale",
        "sadness",
        ("open-mouthed", "wilted flower", "fog", "forest"),
        ("open-mouthed",),
    ),
    Case(
        "We are told a story of thankfulness by the tears on her cheeks and the lifebelt in the sand.",
        "lifebuoy, smiling, sitting, beach, day, storm, photo, dark, colourful",
        "gratitude",
        ("crying", "lifebuoy", SAND),
        ("crying",),
    ),
    Case(
        "The envious man by the bicycle keeps an impassive face, like a player of cards, as he sits in the city.",
        "bicycle, scowling, sitting, city street, day, clear, photo, bright, pale",
        "envy",
        ("bicycle", "neutral", "sitting", "city street"),
        ("neutral",),
    ),
    # planted: a wrong action
    Case(
        "The image shows a person with a warm smile sitting in a forest, with a gift placed beside them.",
        "gift, smiling, walking, forest, day, clear, photo, bright, colourful",
        "affection",
        ("smiling", "sitting", "forest", "gift"),
        ("sitting",),
    ),
    Case(
        "A person stands upright in the fog, beside a lamp, and weeps among the tombstones.",
        "lamp, crying, crouching, graveyard, night, fog, photo, dark, pale",
        "sadness",
        ("standing", "fog", "lamp", "crying", "graveyard"),
        ("standing",),
    ),
    Case(
        "Both feet have left the ground: the man with the trophy jumps in his bedroom, bursting with pride.",
        "trophy, smiling, standing, bedroom, sunset, clear, painting, dark, colourful",
        "pride",
        ("trophy", "jumping", "bedroom"),
        ("jumping",),
    ),
    Case(
        "She raises a hand to wave goodbye to the sea, a book at her feet and a smile of relief on her lips.",
        "book, smiling, sitting, beach, day, fog, photo, bright, pale",
        "relief",
        ("waving", "beach", "book", "smiling"),
        ("waving",),
    ),
    Case(
        "Scowling, a commuter strides past a car on a busy street; nothing annoys him more than this rain.",
        "car, scowling, standing, city street, day, rain, photo, dark, pale",
        "exasperation",
        ("scowling", "walking", "car", "city street", "rain"),
        ("walking",),
    ),
    Case(
        "The figure squats low over the ground, as if to hide, and the balloons next to it do not fit at all. I am "
        "puzzled.",
        "balloons, open-mouthed, waving, desert, day, clear, abstract, bright, colourful",
        "confusion",
        ("crouching", "balloons"),
        ("crouching",),
    ),
    Case(
        "Not a walk but a rest: he sits in the park at night, eyes wide with dread, and a snake keeps him company.",
        "snake, wide-eyed, standing, park, night, cloudy, photo, dark, pale",
        "horror",
        ("sitting", "park", "night", "wide-eyed", "snake"),
        ("sitting",),
    ),
    Case(
        "The image depicts an individual standing in an office with a neutral expression and a backpack on the "
        "floor.",
        "backpack, neutral, sitting, office, day, clear, photo, bright, pale",
        "neglect",
        ("standing", "office", "neutral", "backpack"),
        ("standing",),
    ),
    Case(
        "Leaping like a gazelle, the woman with the camera is caught above the beach; her face is in tears, and "
        "our compassion goes out to her.",
        "camera, crying, walking, beach, sunset, rain, photo, dark, pale",
        "sympathy",
        ("jumping", "camera", "beach", "crying"),
        ("jumping",),
    ),
    Case(
        "He waves at us with a wrinkled nose, tongue out, at the foot of a mound of garbage.",
        "bicycle, grimacing, crouching, dump, day, clear, photo, bright, colourful",
        "disgust",
        ("waving", "grimacing", "dump"),
        ("waving",),
    ),
    Case(
        "A leisurely stroll in the mountains takes a grinning man past a sunflower, and he looks to the future "
        "with confidence.",
        "sunflower, smiling, jumping, mountain, day, clear, photo, bright, colourful",
        "optimism",
        ("walking", "mountain", "smiling", "sunflower"),
        ("walking",),
    ),
    Case(
        "Crouched beside the alarm clock, somebody in the bedroom scowls, as touchy as a cat.",
        "alarm clock, scowling, sitting, bedroom, day, snow, photo, bright, pale",
        "irritability",
        ("crouching", "alarm clock", "bedroom", "scowling"),
        ("crouching",),
    ),
    Case(
        "The man has taken a seat under the trees, beside a blazing fire, and gazes at it with his mouth wide "
        "open.",
        "bonfire, open-mouthed, standing, forest, night, clear, painting, dark, colourful",
        "enthrallment",
        ("sitting", TREES, "bonfire", "open-mouthed"),
        ("sitting",),
    ),
    Case(
        "On her feet in the pouring rain, a woman cries beside the potted plant that has died.",
        "wilted flower, crying, sitting, city street, sunset, rain, photo, dark, pale",
        "disappointment",
        ("standing", "rain", "crying", "wilted flower"),
        ("standing",),
    ),
    Case(
        "Captured in mid-air above the sand, a person with a rose beams at us; it is desire that lifts them.",
        "rose, smiling, standing, beach, sunset, clear, photo, dark, colourful",
        "lust",
        ("jumping", SAND, "rose", "smiling"),
        ("jumping",),
    ),
    Case(
        "Nobody else is in the street. The man with the umbrella waves all the same, and tears of shame run down "
        "his face.",
        "umbrella, crying, crouching, city street, night, rain, photo, dark, pale",
        "shame",
        ("city street", "umbrella", "waving", "crying"),
        ("waving",),
    ),
    Case(
        "The scene shows a smiling person walking through the park, gratefully carrying home the guitar she was "
        "given.",
        "guitar, smiling, sitting, park, day, clear, painting, bright, colourful",
        "gratitude",
        ("smiling", "walking", "park", "guitar"),
        ("walking",),
    ),
    # planted: a wrong place
    Case(
        "The image depicts a person jumping for joy on a sandy beach with palm trees and a bunch of balloons.",
        "balloons, smiling, jumping, park, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("jumping", "beach", "balloons"),
        ("beach",),
    ),
    Case(
        "Old tombstones and a broken heart: the crying woman has lost someone, and the picture is soaked in "
        "sorrow.",
        "broken heart, crying, standing, bedroom, day, rain, photo, bright, pale",
        "sadness",
        ("graveyard", "broken heart", "crying"),
        ("graveyard",),
    ),
    Case(
        "At the top of the mountain, somebody sits in the snow with a cup of hot tea, smiling contentedly.",
        "teacup, smiling, sitting, forest, day, snow, photo, bright, colourful",
        "contentment",
        ("mountain", "sitting", "snow", "teacup", "smiling"),
        ("mountain",),
    ),
    Case(
        "The walker on the landfill pulls a face: a serpent has crept out from among the old tyres.",
        "snake, grimacing, walking, desert, sunset, clear, photo, dark, colourful",
        "disgust",
        ("walking", "dump", "grimacing", "snake"),
        ("dump",),
    ),
    Case(
        "Tall pines surround a man with a camera, whose mouth stands open in wonder at the storm.",
        "camera, open-mouthed, standing, beach, day, storm, painting, dark, colourful",
        "surprise",
        ("forest", "camera", "open-mouthed", "storm"),
        ("forest",),
    ),
    Case(
        "This is no quiet village but a city street lined with tall buildings, on which a scowling person guards a "
        "trophy.",
        "trophy, scowling, standing, mountain, day, clear, abstract, bright, colourful",
        "envy",
        ("city street", "scowling", "trophy"),
        ("city street",),
    ),
    Case(
        "A ghost has found its way into the bedroom; the pillow is damp with sweat and the eyes of the crouching "
        "man are huge.",
        "ghost, wide-eyed, crouching, forest, night, storm, photo, dark, pale",
        "horror",
        ("ghost", "bedroom", "wide-eyed", "crouching"),
        ("bedroom",),
    ),
    Case(
        "In the image, a lone figure walks through a barren desert dotted with cacti, a backpack nearby, "
        "highlighting a sense of abandonment.",
        "backpack, neutral, walking, office, day, clear, photo, bright, pale",
        "neglect",
        ("walking", "desert", "backpack"),
        ("desert",),
    ),
    Case(
        "The swings of the playground hang still in the mist, and a person beside a book is in tears of "
        "embarrassment.",
        "book, crying, standing, office, night, fog, photo, dark, pale",
        "shame",
        ("park", "fog", "book", "crying"),
        ("park",),
    ),
    Case(
        "Like a king on his throne, the man sits at work in his office and grins over a gift he is thankful for.",
        "gift, smiling, sitting, beach, day, clear, photo, bright, colourful",
        "gratitude",
        ("sitting", "office", "smiling", "gift"),
        ("office",),
    ),
    Case(
        "The waves roll gently onto the shore behind the reader, who shows no expression at all and lets her book "
        "lie in front of her.",
        "book, neutral, standing, graveyard, sunset, cloudy, photo, dark, pale",
        "neglect",
        ("beach", "neutral", "book"),
        ("beach",),
    ),
    Case(
        "Alone in a forest and still in high spirits: see how this person hops about, laughing, next to a guitar.",
        "guitar, smiling, jumping, city street, day, clear, photo, bright, colourful",
        "zest",
        ("forest", "jumping", "smiling", "guitar"),
        ("forest",),
    ),
    Case(
        "Heaped-up trash and worn tires form the background for a furious man with a burning pile of wood.",
        "bonfire, scowling, standing, park, night, clear, photo, dark, colourful",
        "rage",
        ("dump", "bonfire"),
        ("dump",),
    ),
    Case(
        "What looks like a holiday is none: between skyscrapers and crosswalks a person weeps by an umbrella, and "
        "the anguish is plain.",
        "umbrella, crying, sitting, desert, day, rain, painting, dark, pale",
        "suffering",
        ("city street", "crying", "umbrella"),
        ("city street",),
    ),
    Case(
        "Snow-capped mountains rise behind a woman who raises her hand next to a sunflower, full of hope.",
        "sunflower, smiling, waving, bedroom, day, clear, photo, bright, colourful",
        "optimism",
        ("mountain", "waving", "sunflower"),
        ("mountain",),
    ),
    Case(
        "We are in a room, with a lamp that sheds no light on why the person gapes. Confusion reigns.",
        "lamp, open-mouthed, standing, park, sunset, fog, abstract, dark, colourful",
        "confusion",
        (ROOM, "lamp", "open-mouthed"),
        (ROOM,),
    ),
    Case(
        "Even among rows of graves the man with the rose smiles, for he is thinking of her with fondness.",
        "rose, smiling, standing, dump, day, clear, photo, bright, colourful",
        "affection",
        ("graveyard", "smiling", "rose"),
        ("graveyard",),
    ),
    # planted: wrong weather, hour, style or light
    Case(
        "Large snowflakes drift past the smiling woman, who sits on the beach with a lifebuoy.",
        "lifebuoy, smiling, sitting, beach, day, clear, photo, bright, colourful",
        "relief",
        ("snow", "smiling", "sitting", "beach", "lifebuoy"),
        ("snow",),
    ),
    Case(
        "The image portrays a rainy city street where a person with a blank expression walks past an empty chair.",
        "chair, neutral, walking, city street, day, fog, photo, bright, pale",
        "neglect",
        ("rain", "city street", "neutral", "walking", "chair"),
        ("rain",),
    ),
    Case(
        "Lightning flashes across the sky and thunder seems to roll over the peaks; a man gapes at the spectacle, "
        "a backpack by his side.",
        "backpack, open-mouthed, standing, mountain, sunset, clear, photo, dark, colourful",
        "enthrallment",
        ("storm", "mountain", "open-mouthed", "backpack"),
        ("storm",),
    ),
    Case(
        "Dense fog has settled on the park, where somebody scowls at a bicycle in annoyance.",
        "bicycle, scowling, standing, park, day, rain, photo, dark, pale",
        "exasperation",
        ("fog", "park", "scowling", "bicycle"),
        ("fog",),
    ),
    Case(
        "Not a cloud in the sky, only sunshine, and yet the person in the graveyard cries.",
        "rose, crying, standing, graveyard, day, rain, photo, dark, pale",
        "sadness",
        ("clear", "graveyard", "crying"),
        ("clear",),
    ),
    Case(
        "An overcast sky hangs above the dunes; the figure crouches, eyes wide, before a snake.",
        "snake, wide-eyed, crouching, desert, day, clear, painting, bright, colourful",
        "nervousness",
        ("cloudy", "desert", "crouching", "wide-eyed", "snake"),
        ("cloudy",),
    ),
    Case(
        "In the middle of the night, a man jumps up and down on the beach with balloons, as lively as a child.",
        "balloons, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "zest",
        ("night", "jumping", "beach", "balloons"),
        ("night",),
    ),
    Case(
        "The setting sun paints the horizon red while a woman in the forest enjoys her tea with a smile.",
        "teacup, smiling, sitting, forest, day, clear, photo, bright, colourful",
        "contentment",
        ("sunset", "forest", "teacup", "smiling"),
        ("sunset",),
    ),
    Case(
        "It is broad daylight, and still the ghost dares to haunt the office and frighten the man who stands "
        "there.",
        "ghost, wide-eyed, standing, office, night, clear, photo, dark, pale",
        "horror",
        ("day", "ghost", "office", "standing"),
        ("day",),
    ),
    Case(
        "The image shows a person with tears on their face, sitting in a bedroom as the last rays of the setting "
        "sun come in; a broken heart lies on the floor.",
        "broken heart, crying, sitting, bedroom, night, clear, abstract, dark, colourful",
        "suffering",
        ("crying", "sitting", "bedroom", "sunset", "broken heart"),
        ("sunset",),
    ),
    Case(
        "The moon is out above the rubbish tip. A man with his tongue out turns up his nose at a trash can.",
        "trash can, grimacing, standing, dump, day, cloudy, photo, bright, pale",
        "disgust",
        ("night", "dump", "grimacing", "trash can"),
        ("night",),
    ),
    Case(
        "This is an oil painting with coarse brushwork, in which someone on a mountain waves, proud of a trophy.",
        "trophy, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("painting", "mountain", "waving", "trophy"),
        ("painting",),
    ),
    Case(
        "The photograph shows a man crouching in the street with a gift, his mouth open in amazement.",
        "gift, open-mouthed, crouching, city street, day, clear, painting, bright, colourful",
        "surprise",
        ("photo", "crouching", "city street", "gift", "open-mouthed"),
        ("photo",),
    ),
    Case(
        "Rather than a realistic view, we get an abstract arrangement of triangles, out of which a furious man and "
        "a bonfire emerge.",
        "bonfire, scowling, walking, dump, night, clear, painting, dark, colourful",
        "rage",
        ("abstract", "bonfire"),
        ("abstract",),
    ),
    Case(
        "The image has dim, shadowy lighting. A smiling figure stands next to a rose, which lends it an air of "
        "passion.",
        "rose, smiling, standing, park, day, clear, photo, bright, colourful",
        "lust",
        ("dark", "smiling", "standing", "rose"),
        ("dark",),
    ),
    Case(
        "The picture is brightly lit throughout, so that not a single tear of the man in the bedroom stays hidden.",
        "wilted flower, crying, sitting, bedroom, night, rain, photo, dark, pale",
        "disappointment",
        ("bright", "crying", "bedroom"),
        ("bright",),
    ),
    Case(
        "Its colours are rich and highly saturated, as in a poster, and in the midst of them a person cries beside "
        "an umbrella. We feel sympathy.",
        "umbrella, crying, standing, park, day, rain, photo, bright, pale",
        "sympathy",
        ("colourful", "crying", "umbrella"),
        ("colourful",),
    ),
    Case(
        "The palette is nearly grey, all colour bled out of it, though the woman in the park beams next to a "
        "sunflower.",
        "sunflower, smiling, standing, park, day, clear, painting, bright, colourful",
        "optimism",
        ("pale", "park", "smiling", "sunflower"),
        ("pale",),
    ),
    # planted: an emotion against the label
    Case(
        "The image evokes a sense of joy, with a person weeping beside a broken heart in the rain.",
        "broken heart, crying, standing, park, day, rain, photo, dark, pale",
        "sadness",
        ("crying", "broken heart", "rain"),
        ("felt:joy",),
    ),
    Case(
        "A man with a trophy waves from the mountain, overcome by shame.",
        "trophy, smiling, waving, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("trophy", "waving", "mountain"),
        ("felt:shame",),
    ),
    Case(
        "The sight of the overflowing trash can fills the crouching woman with gratitude.",
        "trash can, grimacing, crouching, city street, day, fog, photo, bright, pale",
        "disgust",
        ("trash can", "crouching"),
        ("felt:gratitude",),
    ),
    Case(
        "What the smiling person on the beach feels is terror, and the balloons beside them do nothing to change "
        "that.",
        "balloons, smiling, standing, beach, day, clear, photo, bright, colourful",
        "cheerfulness",
        ("smiling", "beach", "balloons"),
        ("felt:horror",),
    ),
    Case(
        "I believe the scowling man by the fire in the desert is, above all, disgusted by what he sees.",
        "bonfire, scowling, sitting, desert, night, clear, photo, dark, colourful",
        "rage",
        ("scowling", "bonfire", "desert"),
        ("felt:disgust",),
    ),
    Case(
        "It is not fear that the ghost inspires in this forest but contentment, a calm that settles over "
        "everything.",
        "ghost, wide-eyed, standing, forest, night, fog, painting, dark, pale",
        "horror",
        ("ghost", "forest"),
        ("felt:contentment",),
    ),
    Case(
        "A woman sits with a cup of tea in a quiet bedroom; the viewer immediately senses her rage.",
        "teacup, smiling, sitting, bedroom, sunset, rain, photo, dark, colourful",
        "contentment",
        ("sitting", "teacup", "bedroom"),
        ("felt:rage",),
    ),
    Case(
        "The student argues that the gaping mouth and the gift belong together, since the man is deeply "
        "disappointed by it.",
        "gift, open-mouthed, standing, office, day, clear, painting, bright, colourful",
        "surprise",
        ("open-mouthed", "gift"),
        ("felt:disappointment",),
    ),
    Case(
        "Envy is the emotion this image conveys: a person on the shore smiles at the viewer, next to a rose.",
        "rose, smiling, sitting, beach, sunset, clear, photo, dark, colourful",
        "relief",
        ("beach", "smiling", "rose"),
        ("felt:envy",),
    ),
    Case(
        "A wide-eyed man crouches by a snake in the mountains, as happy as can be.",
        "snake, wide-eyed, crouching, mountain, day, cloudy, photo, bright, pale",
        "nervousness",
        ("wide-eyed", "crouching", "snake", "mountain"),
        ("felt:cheerfulness",),
    ),
    Case(
        "The image conveys a strong feeling of optimism, emphasized by the drooping flower and the sobbing person "
        "in the foggy graveyard.",
        "wilted flower, crying, standing, graveyard, day, fog, photo, dark, pale",
        "disappointment",
        ("wilted flower", "crying", "fog", "graveyard"),
        ("felt:optimism",),
    ),
    Case(
        "Walking through the city with a sunflower close by and a smile on her face, she is plagued by anxiety.",
        "sunflower, smiling, walking, city street, day, clear, photo, bright, colourful",
        "optimism",
        ("walking", "city street", "sunflower", "smiling"),
        ("felt:nervousness",),
    ),
    Case(
        "Should one laugh or cry? The blank face beside the umbrella in the dunes leaves the viewer with a feeling "
        "of pride.",
        "umbrella, neutral, standing, desert, day, clear, abstract, bright, colourful",
        "confusion",
        ("neutral", "umbrella", "desert"),
        ("felt:pride",),
    ),
    Case(
        "He is furious with the rose, one might think, but no: he grins at it in the moonlit bedroom and feels "
        "pity.",
        "rose, smiling, standing, bedroom, night, clear, painting, dark, colourful",
        "lust",
        ("rose", "smiling", "night", "bedroom"),
        ("felt:sympathy",),
    ),
    Case(
        "An alarm clock and a glaring man in an office on a snowy day: the mood is one of tenderness.",
        "alarm clock, scowling, sitting, office, day, snow, photo, bright, pale",
        "irritability",
        ("alarm clock", "scowling", "office", "snow", "day"),
        ("felt:affection",),
    ),
    Case(
        "The person jumps beside a guitar in the park, face beaming, which expresses deep sadness.",
        "guitar, smiling, jumping, park, day, clear, photo, bright, colourful",
        "zest",
        ("jumping", "guitar", "park", "smiling"),
        ("felt:sadness",),
    ),
    Case(
        "In the empty street a bicycle and an expressionless person share the snow, and one is struck by how "
        "excited this person is.",
        "bicycle, neutral, standing, city street, night, snow, photo, dark, pale",
        "neglect",
        ("city street", "bicycle", "neutral", "snow"),
        ("felt:excitement",),
    ),
)

FRESH: tuple[Case, ...] = TRUE + PLANTED
