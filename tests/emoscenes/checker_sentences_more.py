"""More sentences about drawn scenes, written by hand as people and models ordinarily describe and explain pictures.

Owns MORE, cases after the conventions of `checker_sentences`: half are true to their scene, the others bear one
planted error each, spread evenly over seven kinds.

Cartoon, illustration and artwork are words for the picture, not a style. Clouds without more are CLOUDS, overcast is
cloudy; sunshine is clear.
"""

from checker_sentences import CLOUDS, EVENING, FLOWER, GARBAGE, ROOM, SAND, TREES, VEHICLE, Case

MORE: tuple[Case, ...] = (
    # true to the scene
    Case(
        "The image depicts a red-haired cartoon character sitting in a sandy desert, laughing heartily while a bolt "
        "of lightning flashes overhead. A firework bursts into colourful sparks at their side.",
        "firework, smiling, sitting, desert, night, storm, photo, dark, colourful",
        "zest",
        ("sitting", "desert", "smiling", "storm", "firework"),
    ),
    Case(
        "A potted plant hangs its withered head next to a man who walks in tears past piles of old tyres and garbage.",
        "wilted flower, crying, walking, dump, sunset, clear, photo, dark, pale",
        "neglect",
        ("wilted flower", "walking", "crying", "dump"),
    ),
    Case(
        "I would call this picture sad because the boy has streams of tears running down his face and a heart torn in "
        "two lies at his feet. The rain outside the office window adds to it.",
        "broken heart, crying, standing, office, day, rain, photo, bright, pale",
        "sadness",
        ("crying", "broken heart", "rain", "office"),
    ),
    Case(
        "There is something almost theatrical about such wrath: clenched teeth, knitted brows, a leap into the air, "
        "and all of it next to a campfire on a rubbish heap.",
        "bonfire, scowling, jumping, dump, night, clear, abstract, dark, colourful",
        "rage",
        ("scowling", "jumping", "bonfire", "dump"),
    ),
    Case(
        "Girl in a blue shirt standing on a beach at dusk, smiling, life preserver beside her.",
        "lifebuoy, smiling, standing, beach, sunset, clear, photo, bright, colourful",
        "relief",
        ("standing", "beach", "sunset", "smiling", "lifebuoy"),
    ),
    Case(
        "In this image, we see a person with wide, round eyes and a trembling mouth, squatting down in a cemetery. A "
        "translucent ghost hovers nearby, which gives the whole scene an atmosphere of dread.",
        "ghost, wide-eyed, crouching, graveyard, night, clear, painting, dark, pale",
        "horror",
        ("wide-eyed", "crouching", "graveyard", "ghost"),
    ),
    Case(
        "Pride needs no audience. Here it has only the mountains, a golden trophy and a figure that springs into the "
        "air, beaming.",
        "trophy, smiling, jumping, mountain, day, clear, painting, bright, colourful",
        "pride",
        ("mountain", "trophy", "jumping", "smiling"),
    ),
    Case(
        "The character looks irritable to me: he has only just woken up in his bedroom, the alarm clock is going off, "
        "and his eyebrows are pulled down into a scowl.",
        "alarm clock, scowling, standing, bedroom, day, fog, photo, bright, pale",
        "irritability",
        ("bedroom", "alarm clock", "scowling"),
    ),
    Case(
        "Person with hand raised in greeting on a city sidewalk, bike next to them, light drizzle.",
        "bicycle, smiling, waving, city street, day, rain, abstract, bright, pale",
        "contentment",
        ("waving", "city street", "bicycle", "rain"),
    ),
    Case(
        "The artwork is composed of triangular fragments in an abstract style. It features a surprised person with a "
        "gaping mouth standing beside a wrapped gift box.",
        "gift, open-mouthed, standing, office, sunset, cloudy, abstract, bright, colourful",
        "surprise",
        ("abstract", "open-mouthed", "standing", "gift"),
    ),
    Case(
        "One envies only what one can see, and this man sees it all too well: he grinds his teeth before a winner's "
        "cup of shining gold, and the envy in his glare spoils the pretty bedroom around him.",
        "trophy, scowling, sitting, bedroom, day, clear, painting, bright, colourful",
        "envy",
        ("scowling", "trophy", "bedroom"),
    ),
    Case(
        "A cup of hot tea with steam rising from it; a woman smiling in an office at night.",
        "teacup, smiling, waving, office, night, clear, abstract, bright, pale",
        "contentment",
        ("teacup", "smiling", "office", "night"),
    ),
    Case(
        "Because there is a snake so close to her and her eyes are opened as wide as they will go, I think she is "
        "nervous. She is crouching, perhaps in order to stay unnoticed.",
        "snake, wide-eyed, crouching, park, sunset, cloudy, photo, dark, colourful",
        "nervousness",
        ("snake", "wide-eyed", "crouching"),
    ),
    Case(
        "The overall mood is one of optimism: a tall sunflower glows in the foreground, a smiling figure waves at the "
        "viewer, and the sky above the park is cloudless.",
        "sunflower, smiling, waving, park, day, clear, photo, bright, colourful",
        "optimism",
        ("sunflower", "smiling", "waving", "park", "clear"),
    ),
    Case(
        "What a smell this picture gives off! A dustbin spills green sludge, the face above it twists in revulsion, "
        "and the tongue comes out as if to get rid of the taste.",
        "trash can, grimacing, standing, city street, day, cloudy, painting, bright, colourful",
        "disgust",
        ("trash can", "grimacing"),
    ),
    Case(
        "Man walking through snowy woods, a lamp shining beside him, his expression blank.",
        "lamp, neutral, walking, forest, night, snow, painting, dark, pale",
        "nervousness",
        ("walking", "snow", "forest", "lamp", "neutral"),
    ),
    Case(
        "In my opinion the picture expresses sympathy. The woman weeps among the gravestones and has brought a rose, "
        "and it is pouring with rain.",
        "rose, crying, standing, graveyard, day, rain, photo, dark, pale",
        "sympathy",
        ("crying", "graveyard", "rose", "rain"),
    ),
    Case(
        "The scene is set in a modern office with a desk and a computer. A figure with a dropped jaw stands by a "
        "large alarm clock, seemingly puzzled by what it says.",
        "alarm clock, open-mouthed, standing, office, day, clear, abstract, bright, pale",
        "confusion",
        ("office", "open-mouthed", "standing", "alarm clock"),
    ),
    Case(
        "Shame likes to make itself small. So this figure has sunk down on its haunches at the foot of a bed, and it "
        "weeps where nobody can see.",
        "broken heart, crying, crouching, bedroom, night, cloudy, abstract, dark, pale",
        "shame",
        ("crouching", "bedroom", "crying"),
    ),
    Case(
        "Bunch of balloons and laughing kid, jumping, in the sunshine, playground in the back.",
        "balloons, smiling, jumping, park, day, clear, abstract, bright, colourful",
        "cheerfulness",
        ("balloons", "smiling", "jumping", "clear", "park"),
    ),
    Case(
        "Lightning strikes behind the swings of the park, which explains why the boy stares with such big round eyes.",
        "backpack, wide-eyed, walking, park, sunset, storm, photo, dark, colourful",
        "nervousness",
        ("storm", "park", "wide-eyed"),
    ),
    Case(
        "The photograph shows a person with a neutral expression seated beside a green backpack in a misty desert "
        "landscape. The emptiness around them suggests neglect and loneliness.",
        "backpack, neutral, sitting, desert, day, fog, photo, bright, pale",
        "neglect",
        ("photo", "neutral", "sitting", "backpack", "fog", "desert"),
    ),
    Case(
        "A firework over a mountain: nothing more is needed to hold the gaze, and the enthralled spectator, mouth "
        "hanging open, is held by it.",
        "firework, open-mouthed, standing, mountain, night, clear, painting, dark, colourful",
        "enthrallment",
        ("firework", "mountain", "open-mouthed"),
    ),
    Case(
        "Woman walks along the seashore with a camera, grey clouds above.",
        "camera, smiling, walking, beach, day, cloudy, photo, bright, pale",
        "gratitude",
        ("walking", "beach", "camera", CLOUDS),
    ),
    Case(
        "I can see that he is exasperated, since he bares his teeth at the alarm clock while heaps of junk pile up "
        "behind him.",
        "alarm clock, scowling, standing, dump, sunset, cloudy, photo, dark, pale",
        "exasperation",
        ("scowling", "alarm clock", "dump"),
    ),
    Case(
        "The character's arms hang by their sides and their face betrays no feeling at all; they simply stand next to "
        "an empty wooden chair in a park at night.",
        "chair, neutral, standing, park, night, fog, painting, dark, pale",
        "disappointment",
        ("neutral", "standing", "chair", "park", "night"),
    ),
    Case(
        "Who would not give in to desire, with a single red rose glowing in a dimly lit bedroom and such an inviting "
        "smile?",
        "rose, smiling, sitting, bedroom, night, clear, painting, dark, colourful",
        "lust",
        ("rose", "dark", "bedroom", "smiling"),
    ),
    Case(
        "A sad face with blue tears, a guitar leaning to the right, an office.",
        "guitar, crying, standing, office, day, rain, photo, bright, pale",
        "disappointment",
        ("crying", "guitar", "office"),
    ),
    Case(
        "You can recognise the short strokes of a brush, so it is clearly a painting. It shows high peaks and a girl "
        "who has stopped in amazement, her mouth a big O.",
        "book, open-mouthed, standing, mountain, day, clear, painting, bright, pale",
        "surprise",
        ("painting", "mountain", "open-mouthed"),
    ),
    Case(
        "The image presents a snow-covered city street after nightfall. An umbrella stands open at the left, while a "
        "person with a furious scowl hurries past on foot.",
        "umbrella, scowling, walking, city street, night, snow, photo, dark, pale",
        "rage",
        ("snow", "city street", "night", "umbrella", "walking", "scowling"),
    ),
    Case(
        "Relief is what remains when the waves have calmed down: a life ring on the shore, a person seated beside it, "
        "a smile that lets go of everything.",
        "lifebuoy, smiling, sitting, beach, day, rain, painting, bright, pale",
        "relief",
        ("beach", "lifebuoy", "sitting", "smiling"),
    ),
    Case(
        "Green-faced cartoon person crouching, tongue sticking out, landfill in the background.",
        "trash can, grimacing, crouching, dump, day, cloudy, photo, bright, colourful",
        "disgust",
        ("grimacing", "crouching", "dump"),
    ),
    Case(
        "The bright light and the strong colours make the picture look lively, and the woman's laughter fits them. I "
        "would say that it shows zest.",
        "firework, smiling, jumping, beach, day, clear, photo, bright, colourful",
        "zest",
        ("bright", "colourful", "smiling"),
    ),
    Case(
        "The scene is rendered in muted, washed-out tones and depicts a graveyard shrouded in thick fog. A lamp "
        "stands on the ground next to a sobbing person.",
        "lamp, crying, crouching, graveyard, day, fog, photo, bright, pale",
        "suffering",
        ("pale", "graveyard", "fog", "lamp", "crying"),
    ),
    Case(
        "Although lightning cracks over the street, the man is anything but afraid; he waves with a broad smile next "
        "to his car.",
        "car, smiling, waving, city street, night, storm, photo, dark, colourful",
        "cheerfulness",
        ("storm", "city street", "waving", "smiling", "car"),
    ),
    Case(
        "The person does not cry or complain; they sit on the sand with a blank look and let an open book lie unread.",
        "book, neutral, sitting, beach, day, cloudy, photo, bright, pale",
        "neglect",
        ("sitting", SAND, "neutral", "book"),
    ),
    Case(
        "Unlike the usual holiday picture of the sea, this view of the desert has no water and no laughing faces, "
        "only a camera and a lone walker.",
        "camera, neutral, walking, desert, day, clear, photo, bright, colourful",
        "optimism",
        ("desert", "camera", "walking"),
    ),
    Case(
        "Were it not for the ghost that floats beside him, the man in this bedroom would surely be asleep instead of "
        "staring at us with huge round eyes.",
        "ghost, wide-eyed, standing, bedroom, sunset, clear, photo, bright, pale",
        "horror",
        ("ghost", "bedroom", "wide-eyed"),
    ),
    Case(
        "The gift stands there like a forgotten suitcase, and the woman who ought to be pleased with it is in tears "
        "instead.",
        "gift, crying, walking, park, night, cloudy, abstract, dark, pale",
        "disappointment",
        ("gift", "crying"),
    ),
    Case(
        "There is neither rain nor sunshine here, only an even layer of clouds above the pine forest through which "
        "she walks.",
        "bicycle, neutral, walking, forest, day, cloudy, painting, bright, pale",
        "sadness",
        ("cloudy", "forest", "walking"),
    ),
    Case(
        "Had he felt threatened, he would have run away; instead he remains seated, as still as a pond, beside a "
        "hissing snake.",
        "snake, neutral, sitting, park, day, clear, photo, bright, colourful",
        "contentment",
        ("sitting", "snake"),
    ),
    Case(
        "It isn't disappointment that speaks from these tears but real suffering: the lifebuoy came too late, and "
        "nothing is left but the foggy shore.",
        "lifebuoy, crying, standing, beach, day, fog, painting, bright, pale",
        "suffering",
        ("crying", "lifebuoy", "fog", "beach"),
    ),
    Case(
        "Her eyes bulge as though she had just met a ghost, though the only thing beside her is an old guitar.",
        "guitar, wide-eyed, standing, graveyard, night, storm, photo, dark, pale",
        "horror",
        ("wide-eyed", "guitar"),
    ),
    Case(
        "You might think of a wedding when you see the rose, but no one celebrates in this cemetery.",
        "rose, crying, crouching, graveyard, sunset, rain, abstract, dark, colourful",
        "sympathy",
        ("rose", "graveyard"),
    ),
    Case(
        "The image evokes affection through its warm details: a rose in full bloom, a beach with a palm tree, and a "
        "person whose eyes are closed in a gentle smile.",
        "rose, smiling, standing, beach, day, clear, abstract, bright, colourful",
        "affection",
        ("rose", "beach", "smiling"),
    ),
    Case(
        "Present with a bow, person smiling and waving, mountain range far off.",
        "gift, smiling, waving, mountain, day, cloudy, painting, bright, colourful",
        "gratitude",
        ("gift", "smiling", "waving", "mountain"),
    ),
    Case(
        "It is clearly daytime, because the window of the bedroom lets in the light, and outside you can see "
        "snowflakes falling.",
        "chair, smiling, walking, bedroom, day, snow, painting, bright, colourful",
        "affection",
        ("day", "bedroom", "snow"),
    ),
    Case(
        "The forest closes in, the fog swallows the tips of its trees, and in front of them a woman on her feet does "
        "not know which way to go. Her open mouth asks the question for her.",
        "alarm clock, open-mouthed, standing, forest, day, fog, painting, bright, pale",
        "confusion",
        ("forest", "fog", "standing", "open-mouthed"),
    ),
    Case(
        "The composition centres on a colourful bunch of balloons. To the right, a person leaps into the air in an "
        "abstract city setting with tall buildings.",
        "balloons, smiling, jumping, city street, sunset, fog, abstract, bright, colourful",
        "cheerfulness",
        ("balloons", "jumping", "abstract", "city street"),
    ),
    Case(
        "I notice that the picture is very dark and that almost all colour is missing, which suits its gloomy "
        "subject, a crying person with a withered flower.",
        "wilted flower, crying, sitting, park, night, cloudy, photo, dark, pale",
        "sadness",
        ("dark", "pale", "crying", "wilted flower"),
    ),
    Case(
        "The picture displays a man sitting in his office with a wide grin, and a red car is parked, rather oddly, "
        "right next to him.",
        "car, smiling, sitting, office, day, clear, photo, bright, colourful",
        "pride",
        ("sitting", "office", "smiling", "car"),
    ),
    Case(
        "Lust is seldom shown so plainly: lips drawn into a smile, a hand that waves us nearer, one red flower on the "
        "bedroom floor.",
        "rose, smiling, waving, bedroom, sunset, fog, abstract, dark, colourful",
        "lust",
        ("smiling", "waving", FLOWER, "bedroom"),
    ),
    Case(
        "Young woman on a park path in the rain, waving, an open umbrella on the ground.",
        "umbrella, open-mouthed, waving, park, day, rain, photo, bright, pale",
        "cheerfulness",
        ("park", "rain", "waving", "umbrella"),
    ),
    Case(
        "The weather is stormy, with flashes of lightning in the sky, so the person in the mountains should look for "
        "shelter. Still, they just stand there with no expression.",
        "camera, neutral, standing, mountain, day, storm, photo, dark, pale",
        "confusion",
        ("storm", "mountain", "standing", "neutral"),
    ),
    Case(
        "This cartoon illustration features a character in an orange shirt walking through a dump, with a bicycle in "
        "the foreground. The colours are dull and faded.",
        "bicycle, scowling, walking, dump, night, clear, photo, dark, pale",
        "exasperation",
        ("walking", "dump", "bicycle", "pale"),
    ),
    Case(
        "A lamp is lit on the beach for no one in particular. The man beside it walks on, his face wet with tears, "
        "and the night takes no notice.",
        "lamp, crying, walking, beach, night, cloudy, painting, dark, pale",
        "neglect",
        ("lamp", "beach", "walking", "crying", "night"),
    ),
    Case(
        "She is full of gratitude, I believe, because somebody has rescued her: a lifebuoy lies near her on the sand, "
        "and she laughs.",
        "lifebuoy, smiling, crouching, beach, sunset, clear, photo, bright, colourful",
        "gratitude",
        ("lifebuoy", SAND, "smiling"),
    ),
    Case(
        "Irritable man, teeth clenched, jumping up and down in a bedroom, alarm clock on the floor.",
        "alarm clock, scowling, jumping, bedroom, day, snow, abstract, bright, pale",
        "irritability",
        ("scowling", "jumping", "bedroom", "alarm clock"),
    ),
    Case(
        "The image captures a moment of pure excitement: a person leaps with delight in front of a firework as the "
        "sun goes down.",
        "firework, smiling, jumping, desert, sunset, clear, painting, bright, colourful",
        "zest",
        ("jumping", "firework", "sunset"),
    ),
    Case(
        "A new car at the kerb and, next to it, a face distorted by envy, the brows low and the teeth clenched: the "
        "whole street could be jealous like this.",
        "car, scowling, standing, city street, day, cloudy, painting, bright, colourful",
        "envy",
        ("car", "scowling", "city street"),
    ),
    Case(
        "Snow is falling on the tombs, and a man squats between them in tears, so I would say that the main emotion "
        "is suffering.",
        "backpack, crying, crouching, graveyard, night, snow, photo, dark, pale",
        "suffering",
        ("snow", "graveyard", "crouching", "crying"),
    ),
    Case(
        "Blank-faced person sitting in the woods, next to them a cup of hot tea.",
        "teacup, neutral, sitting, forest, sunset, rain, photo, dark, pale",
        "contentment",
        ("neutral", "sitting", "forest", "teacup"),
    ),
    Case(
        "The scene takes place in an urban environment, with tall buildings and lit windows in the background, and it "
        "is quite foggy. A person with mouth agape is waving.",
        "chair, open-mouthed, waving, city street, night, fog, abstract, dark, pale",
        "surprise",
        ("city street", "fog", "open-mouthed", "waving"),
    ),
    Case(
        "Nothing holds us as firmly as what we do not understand: the girl, spellbound and open-mouthed, cannot turn "
        "away from the snake, while behind the forest the sun is setting.",
        "snake, open-mouthed, standing, forest, sunset, cloudy, photo, dark, colourful",
        "enthrallment",
        ("open-mouthed", "snake", "forest", "sunset"),
    ),
    Case(
        "In this picture you can see a chair, but nobody is sitting on it: the only person walks away from it along "
        "the shore.",
        "chair, crying, walking, beach, sunset, rain, abstract, dark, pale",
        "disappointment",
        ("chair", "walking", "beach"),
    ),
    Case(
        "Smiling man at the seaside with a guitar by his side and clouds hiding the sun.",
        "guitar, smiling, standing, beach, day, cloudy, painting, bright, colourful",
        "zest",
        ("smiling", "beach", "guitar", CLOUDS),
    ),
    Case(
        "An open book is placed on the left, and on the right a crying figure can be seen crouching. The setting is "
        "an office, and night has fallen outside the window.",
        "book, crying, crouching, office, night, clear, photo, dark, pale",
        "shame",
        ("book", "crying", "crouching", "office", "night"),
    ),
    Case(
        "Good cheer does not always need a reason. Here a rubbish dump, an overcast sky and an ordinary camera are "
        "enough for a broad smile.",
        "camera, smiling, sitting, dump, day, cloudy, painting, bright, colourful",
        "cheerfulness",
        ("dump", "cloudy", "camera", "smiling"),
    ),
    Case(
        "As far as I can tell, the picture is abstract, because everything consists of polygons, but one can still "
        "make out a park and a walking person whose round eyes stare past an umbrella.",
        "umbrella, wide-eyed, walking, park, sunset, clear, abstract, dark, colourful",
        "nervousness",
        ("abstract", "park", "walking", "wide-eyed", "umbrella"),
    ),
    Case(
        "Kid making a disgusted grimace on the beach, tongue out, trash can dripping with slime.",
        "trash can, grimacing, standing, beach, sunset, cloudy, photo, bright, colourful",
        "disgust",
        ("grimacing", "beach", "trash can"),
    ),
    Case(
        "The scene is brightly lit and its palette is rather desaturated. A smiling person sits in a mountain "
        "landscape next to a gift with a ribbon.",
        "gift, smiling, sitting, mountain, day, fog, photo, bright, pale",
        "gratitude",
        ("bright", "pale", "smiling", "sitting", "mountain", "gift"),
    ),
    Case(
        "Hope, as one sees here, grows even in the desert: a sunflower taller than the cacti, and a smile that is "
        "full of confidence.",
        "sunflower, smiling, standing, desert, day, clear, painting, bright, colourful",
        "optimism",
        ("sunflower", "desert", "smiling"),
    ),
    Case(
        "The reason for the woman's astonishment could be the firework, because her mouth is wide open in front of "
        "it. It is raining, but she does not seem to care.",
        "firework, open-mouthed, waving, city street, night, rain, photo, dark, colourful",
        "surprise",
        ("firework", "open-mouthed", "rain"),
    ),
    Case(
        "Sad guy sitting alone on a city street, a dead flower drooping from its pot.",
        "wilted flower, neutral, sitting, city street, sunset, fog, photo, dark, pale",
        "neglect",
        ("sitting", "city street", "wilted flower"),
    ),
    Case(
        "The person's facial expression, with tightly clenched teeth and slanted eyebrows, indicates anger. They are "
        "sitting in a graveyard beside a lit lamp while fog drifts over the ground.",
        "lamp, scowling, sitting, graveyard, night, fog, painting, dark, pale",
        "irritability",
        ("scowling", "sitting", "graveyard", "lamp", "fog"),
    ),
    Case(
        "Consider how little it takes to frighten us: a desk, a computer, a white ghost where a colleague should be, "
        "and already we share the fear in those round eyes.",
        "ghost, wide-eyed, walking, office, night, rain, photo, dark, pale",
        "horror",
        ("office", "ghost", "wide-eyed"),
    ),
    Case(
        "I like the contrast between the storm, which makes everything look dangerous, and the man who sits next to "
        "his guitar and smiles.",
        "guitar, smiling, sitting, mountain, night, storm, painting, dark, colourful",
        "contentment",
        ("storm", "sitting", "guitar", "smiling"),
    ),
    Case(
        "Woman hunkered down beside a broken heart on a mountain trail, crying her eyes out.",
        "broken heart, crying, crouching, mountain, day, rain, painting, bright, pale",
        "shame",
        ("crouching", "broken heart", "mountain", "crying"),
    ),
    Case(
        "The image shows two main elements: a large purple gift with a bow on the left and, on the right, a person "
        "with a beaming face in front of a bed. The mood is one of joyful gratitude.",
        "gift, smiling, waving, bedroom, night, clear, photo, dark, colourful",
        "gratitude",
        ("gift", "smiling", "bedroom"),
    ),
    Case(
        "Fog swallows the city, a bicycle waits for its rider, and the rider, if it is him, walks past it without any "
        "expression.",
        "bicycle, neutral, walking, city street, day, fog, painting, bright, pale",
        "disappointment",
        ("fog", "city street", "bicycle", "walking", "neutral"),
    ),
    Case(
        "His posture shows enthusiasm: he has jumped so high that his feet do not touch the ground, and he is "
        "laughing at the same time. Behind him you can see the swing of a park.",
        "backpack, smiling, jumping, park, sunset, cloudy, abstract, bright, colourful",
        "zest",
        ("jumping", "smiling", "park"),
    ),
    Case(
        "A faded photo of a person with a backpack, standing in the desert at dusk.",
        "backpack, smiling, standing, desert, sunset, clear, photo, bright, pale",
        "relief",
        ("pale", "photo", "backpack", "standing", "desert", "sunset"),
    ),
    Case(
        "The environment suggests a hiking trip: there are mountains in the distance, a green rucksack on the ground, "
        "and a person striding along with a confident smile.",
        "backpack, smiling, walking, mountain, day, clear, abstract, bright, colourful",
        "optimism",
        ("mountain", "backpack", "walking", "smiling"),
    ),
    Case(
        "One sees the tears first, then the rose, and only then understands that the woman needs our compassion, here "
        "among the graves.",
        "rose, crying, walking, graveyard, day, cloudy, painting, bright, pale",
        "sympathy",
        ("crying", "rose", "graveyard"),
    ),
    Case(
        "The snake must be what horrifies the person, which you can see from the huge round eyes and from the way "
        "they jump into the air.",
        "snake, wide-eyed, jumping, dump, night, storm, photo, dark, colourful",
        "horror",
        ("snake", "wide-eyed", "jumping"),
    ),
    Case(
        "No tears here and no rain either: a grinning man with a trophy on a mountain in the sunshine.",
        "trophy, smiling, standing, mountain, day, clear, abstract, bright, colourful",
        "pride",
        ("smiling", "trophy", "mountain", "clear"),
    ),
    Case(
        "It is not yet night, although it soon will be; the sun sinks behind the desert, and the campfire next to the "
        "scowling man has already been lit.",
        "bonfire, scowling, standing, desert, sunset, cloudy, photo, dark, colourful",
        "exasperation",
        ("sunset", "desert", "bonfire", "scowling"),
    ),
    Case(
        "You could think that the woman is laughing, but if you look closely, you notice that her mouth is open "
        "because she is crying. Next to her is a heart with a crack.",
        "broken heart, crying, standing, park, day, fog, photo, bright, pale",
        "sadness",
        ("crying", "broken heart"),
    ),
    Case(
        "Despite the festive balloons, the atmosphere is not cheerful but irritable; the person is scowling and a "
        "thunderstorm is raging.",
        "balloons, scowling, standing, park, day, storm, photo, dark, colourful",
        "irritability",
        ("balloons", "scowling", "storm"),
    ),
    Case(
        "He waves like a captain leaving port, though there is neither ship nor sea, just a park with a swing and, "
        "for luggage, a backpack.",
        "backpack, smiling, waving, park, night, clear, painting, dark, colourful",
        "cheerfulness",
        ("waving", "park", "backpack"),
    ),
    Case(
        "Not a photo but a painting with visible brushwork: a lamp, a bedroom, a man who stands around with a vacant "
        "face.",
        "lamp, neutral, standing, bedroom, sunset, clear, painting, dark, pale",
        "neglect",
        ("painting", "lamp", "bedroom", "standing", "neutral"),
    ),
    Case(
        "If the sky were blue, I would find the picture more cheerful, but as it is, the beach looks cold under all "
        "those clouds, and the boy's teacup will soon stop steaming.",
        "teacup, crying, standing, beach, day, cloudy, photo, bright, pale",
        "disappointment",
        (CLOUDS, "beach", "teacup"),
    ),
    Case(
        "The viewer may at first mistake the broken heart for a balloon. It is, however, split down the middle, which "
        "matches the figure's crouched posture and sense of guilt.",
        "broken heart, crying, crouching, beach, sunset, fog, photo, bright, colourful",
        "shame",
        ("broken heart", "crouching"),
    ),
    Case(
        "Without the snake her nervousness would be hard to understand; with it, one sees why those round eyes will "
        "not look at anything else in the forest.",
        "snake, wide-eyed, standing, forest, day, cloudy, painting, bright, colourful",
        "nervousness",
        ("snake", "wide-eyed", "forest"),
    ),
    Case(
        "The girl isn't jumping or dancing as others would at a party; she merely sits next to the balloons and "
        "smiles.",
        "balloons, smiling, sitting, bedroom, day, rain, photo, bright, colourful",
        "cheerfulness",
        ("sitting", "balloons", "smiling"),
    ),
    Case(
        "Her rage is like a storm over the sea, yet the real sky, the one above the park, is completely clear.",
        "bonfire, scowling, walking, park, day, clear, photo, bright, colourful",
        "rage",
        ("clear", "park"),
    ),
    Case(
        "Somebody waves from a dump at night; no clouds, just a clear sky, and a camera.",
        "camera, open-mouthed, waving, dump, night, clear, abstract, dark, pale",
        "surprise",
        ("waving", "dump", "night", "clear", "camera"),
    ),
    Case(
        "The weather in the image is rainy, as shown by the slanting streaks, yet the person is seated on a beach "
        "without seeking cover under the umbrella next to them.",
        "umbrella, crying, sitting, beach, night, rain, abstract, dark, pale",
        "sadness",
        ("rain", "sitting", "beach", "umbrella"),
    ),
    Case(
        "Two things make me feel pity: the rose that lies there and the tears of the man sitting in the falling snow.",
        "rose, crying, sitting, desert, night, snow, photo, dark, colourful",
        "sympathy",
        ("rose", "crying", "sitting", "snow"),
    ),
    Case(
        "Dismay is a quiet feeling. It fits this rainy office, this drooping plant, this man with a face full of "
        "tears.",
        "wilted flower, crying, standing, office, night, rain, abstract, dark, pale",
        "disappointment",
        ("rain", "office", "wilted flower", "crying"),
    ),
    Case(
        "A vivid, colourful picture: a vehicle on a beach, and somebody with his mouth open in astonishment.",
        "bicycle, open-mouthed, standing, beach, day, rain, abstract, bright, colourful",
        "surprise",
        ("colourful", VEHICLE, "beach", "open-mouthed"),
    ),
    Case(
        "It appears to be evening. A person is sitting in a room with a book, and their mouth forms a surprised O.",
        "book, open-mouthed, sitting, bedroom, sunset, cloudy, photo, bright, pale",
        "surprise",
        (EVENING, "sitting", ROOM, "book", "open-mouthed"),
    ),
    Case(
        "There are trees in the background, and the man passes them on foot, visibly annoyed, his eyebrows drawn "
        "together over a scowl.",
        "guitar, scowling, walking, park, night, snow, painting, dark, pale",
        "exasperation",
        (TREES, "walking", "scowling"),
    ),
    Case(
        "Out of the black night a firework opens like a flower, and the figure below it forgets to shut its mouth. "
        "Fascination could not be shown more simply.",
        "firework, open-mouthed, sitting, desert, night, clear, abstract, dark, colourful",
        "enthrallment",
        ("night", "firework", "open-mouthed"),
    ),
    Case(
        "The garbage in the picture and the person's protruding tongue together communicate strong revulsion.",
        "trash can, grimacing, walking, bedroom, day, clear, abstract, bright, pale",
        "disgust",
        (GARBAGE, "grimacing"),
    ),
    # planted: an object of the world that the scene lacks
    Case(
        "The image shows a woman crouching in a graveyard with a large sunflower blooming beside her.",
        "broken heart, crying, crouching, graveyard, day, rain, photo, bright, pale",
        "sadness",
        ("crouching", "graveyard", "sunflower"),
        ("sunflower",),
    ),
    Case(
        "Man in a red shirt jumps for joy in front of a trophy on a beach.",
        "balloons, smiling, jumping, beach, day, clear, abstract, bright, colourful",
        "cheerfulness",
        ("jumping", "trophy", "beach"),
        ("trophy",),
    ),
    Case(
        "The snake on the ground is the reason why she is disgusted and sticks out her tongue with a grimace.",
        "trash can, grimacing, standing, park, day, rain, photo, bright, colourful",
        "disgust",
        ("snake", "grimacing"),
        ("snake",),
    ),
    Case(
        "An alarm clock, of all things: time has followed him even into the mountains, and he glares at it.",
        "lamp, scowling, standing, mountain, sunset, clear, painting, dark, pale",
        "exasperation",
        ("alarm clock", "mountain", "scowling"),
        ("alarm clock",),
    ),
    Case(
        "A teacup with rising steam can be seen in the foreground, and behind it a seated person smiles contentedly "
        "in an office.",
        "book, smiling, sitting, office, day, cloudy, photo, bright, pale",
        "contentment",
        ("teacup", "sitting", "smiling", "office"),
        ("teacup",),
    ),
    Case(
        "There is no rose in this picture. What I do see is a car right in front of the bedroom window, which puzzles "
        "the open-mouthed boy.",
        "chair, open-mouthed, walking, bedroom, day, fog, abstract, bright, pale",
        "confusion",
        ("car", "bedroom", "open-mouthed"),
        ("car",),
    ),
    Case(
        "Lone figure walking, guitar beside it, sunset over the city street.",
        "camera, neutral, walking, city street, sunset, clear, photo, dark, colourful",
        "optimism",
        ("walking", "guitar", "sunset", "city street"),
        ("guitar",),
    ),
    Case(
        "How much tenderness there is in this small gesture: a wrapped present, left for someone on the path through "
        "the park.",
        "umbrella, smiling, standing, park, day, cloudy, painting, bright, colourful",
        "affection",
        ("gift", "park"),
        ("gift",),
    ),
    Case(
        "Grinning man on a city street in the snow with a single red rose.",
        "gift, smiling, standing, city street, day, snow, photo, bright, pale",
        "affection",
        ("smiling", "city street", "snow", "rose"),
        ("rose",),
    ),
    Case(
        "A bicycle is visible in the lower left of the image, next to a crying person on a beach.",
        "lifebuoy, crying, standing, beach, sunset, storm, photo, dark, pale",
        "suffering",
        ("bicycle", "crying", "beach"),
        ("bicycle",),
    ),
    Case(
        "Every celebration ends, this one with a bunch of balloons adrift in a graveyard and a woman who weeps.",
        "wilted flower, crying, standing, graveyard, sunset, cloudy, painting, dark, colourful",
        "sadness",
        ("balloons", "graveyard", "crying"),
        ("balloons",),
    ),
    Case(
        "The ghost must have come out of the forest, and she is so horrified by it that her eyes have gone completely "
        "round.",
        "snake, wide-eyed, standing, forest, night, rain, painting, dark, pale",
        "horror",
        ("ghost", "forest", "wide-eyed"),
        ("ghost",),
    ),
    Case(
        "Umbrella standing in an office, next to a man whose jaw has dropped in bewilderment.",
        "lamp, open-mouthed, sitting, office, day, fog, painting, bright, pale",
        "confusion",
        ("umbrella", "office", "open-mouthed"),
        ("umbrella",),
    ),
    Case(
        "A trash can filled with green slime stands to the left of the smiling person, who is sitting in a park.",
        "teacup, smiling, sitting, park, day, clear, abstract, bright, colourful",
        "contentment",
        ("trash can", "smiling", "sitting", "park"),
        ("trash can",),
    ),
    Case(
        "It is not a lamp that makes the bedroom so festive but a firework, and the girl laughs at it.",
        "balloons, smiling, jumping, bedroom, night, clear, photo, dark, colourful",
        "zest",
        ("bedroom", "firework", "smiling"),
        ("firework",),
    ),
    # planted: a thing from outside the world
    Case(
        "In the background, a church rises above the tombstones, and a person with a tear-stained face looks away "
        "from it.",
        "broken heart, crying, standing, graveyard, night, cloudy, photo, dark, pale",
        "sadness",
        ("church", "graveyard", "crying"),
        ("church",),
    ),
    Case(
        "A smiling boy in the park, his hair blond and his shirt green, next to a football.",
        "sunflower, smiling, standing, park, day, clear, abstract, bright, colourful",
        "optimism",
        ("smiling", "park", "football"),
        ("football",),
    ),
    Case(
        "The horse next to her seems to understand that she feels neglected. She sits in the desert and cries.",
        "chair, crying, sitting, desert, sunset, cloudy, photo, bright, pale",
        "neglect",
        ("horse", "sitting", "desert", "crying"),
        ("horse",),
    ),
    Case(
        "A lighthouse sends its beam across the beach, and the waving figure, with nothing but a lifebuoy at its "
        "side, answers as best it can.",
        "lifebuoy, smiling, waving, beach, night, clear, painting, dark, colourful",
        "relief",
        ("lighthouse", "beach", "waving", "lifebuoy"),
        ("lighthouse",),
    ),
    Case(
        "A telephone and an alarm clock ring at the same time in this office, so it is no wonder that the man with "
        "the clenched teeth is exasperated.",
        "alarm clock, scowling, standing, office, day, storm, photo, dark, pale",
        "exasperation",
        ("telephone", "alarm clock", "office", "scowling"),
        ("telephone",),
    ),
    Case(
        "A butterfly has landed on the wilted flower. A person crouches beside it.",
        "wilted flower, crying, crouching, dump, day, clear, painting, bright, pale",
        "disappointment",
        ("butterfly", "wilted flower", "crouching"),
        ("butterfly",),
    ),
    Case(
        "I think that the skeleton beside the ghost is what scares the wide-eyed man the most.",
        "ghost, wide-eyed, jumping, graveyard, sunset, storm, photo, dark, colourful",
        "horror",
        ("skeleton", "ghost", "wide-eyed"),
        ("skeleton",),
    ),
    Case(
        "A wooden bridge leads deeper into the forest, and a person wearing a purple shirt walks towards it.",
        "camera, smiling, walking, forest, day, clear, painting, bright, colourful",
        "optimism",
        ("bridge", "forest", "walking"),
        ("bridge",),
    ),
    Case(
        "A rag doll and a broken heart on the bedroom floor, woman crouched beside them, crying.",
        "broken heart, crying, crouching, bedroom, sunset, rain, photo, dark, pale",
        "shame",
        ("doll", "broken heart", "bedroom", "crouching", "crying"),
        ("doll",),
    ),
    Case(
        "There is an aquarium in the office behind the seated man, who is scowling at a trophy.",
        "trophy, scowling, sitting, office, day, clear, painting, bright, pale",
        "envy",
        ("aquarium", "office", "sitting", "scowling", "trophy"),
        ("aquarium",),
    ),
    Case(
        "An owl watches the night, and the girl watches it too, with eyes that are as wide as they can be.",
        "book, wide-eyed, standing, forest, night, cloudy, painting, dark, pale",
        "nervousness",
        ("owl", "night", "wide-eyed"),
        ("owl",),
    ),
    Case(
        "A train passes through the desert in the background while a smiling figure waves at it.",
        "chair, smiling, waving, desert, day, clear, photo, bright, colourful",
        "relief",
        ("train", "desert", "smiling", "waving"),
        ("train",),
    ),
    Case(
        "Green-faced man with his tongue out, a trash can and a half-eaten pizza in front of him.",
        "trash can, grimacing, sitting, office, day, clear, photo, bright, colourful",
        "disgust",
        ("grimacing", "trash can", "pizza"),
        ("pizza",),
    ),
    Case(
        "Because of the ambulance behind the lifebuoy, I suppose that there has been an accident on the beach. The "
        "woman cries and suffers.",
        "lifebuoy, crying, walking, beach, day, clear, photo, bright, pale",
        "suffering",
        ("ambulance", "lifebuoy", "beach", "crying"),
        ("ambulance",),
    ),
    Case(
        "Not even the monkey that swings through the forest can make the scowling man laugh.",
        "guitar, scowling, standing, forest, sunset, fog, photo, dark, colourful",
        "exasperation",
        ("monkey", "forest", "scowling"),
        ("monkey",),
    ),
    # planted: a wrong face
    Case(
        "The person has a broad, toothy grin and is sitting next to a broken heart in the rain.",
        "broken heart, crying, sitting, park, day, rain, abstract, bright, pale",
        "sadness",
        ("smiling", "sitting", "broken heart", "rain"),
        ("smiling",),
    ),
    Case(
        "Sobbing woman in a yellow shirt, bunch of balloons, beach under a blue sky.",
        "balloons, smiling, standing, beach, day, clear, painting, bright, colourful",
        "cheerfulness",
        ("crying", "balloons", "beach", "clear"),
        ("crying",),
    ),
    Case(
        "His face is completely blank, as if he did not even see the blaze in front of him, and that is why the rage "
        "in this picture seems so cold.",
        "bonfire, scowling, standing, desert, night, cloudy, photo, dark, pale",
        "rage",
        ("neutral", "bonfire"),
        ("neutral",),
    ),
    Case(
        "With eyebrows knitted and teeth bared, the hiker confronts the mountain as one confronts an enemy.",
        "trophy, smiling, standing, mountain, day, clear, photo, bright, colourful",
        "pride",
        ("scowling", "mountain"),
        ("scowling",),
    ),
    Case(
        "The character's mouth is wide open in astonishment and a gift box lies in front of them.",
        "gift, smiling, jumping, bedroom, day, clear, photo, bright, colourful",
        "surprise",
        ("open-mouthed", "gift"),
        ("open-mouthed",),
    ),
    Case(
        "She isn't crying; on the contrary, she is staring with huge round eyes at the wilted plant in the office.",
        "wilted flower, neutral, standing, office, day, cloudy, photo, bright, pale",
        "disappointment",
        ("wide-eyed", "wilted flower", "office"),
        ("wide-eyed",),
    ),
    Case(
        "Man with his tongue out and a green face, sunflower, park.",
        "sunflower, open-mouthed, standing, park, day, fog, painting, bright, colourful",
        "surprise",
        ("grimacing", "sunflower", "park"),
        ("grimacing",),
    ),
    Case(
        "Person in a green shirt beaming next to a campfire at a landfill, night.",
        "bonfire, scowling, waving, dump, night, clear, painting, dark, colourful",
        "rage",
        ("smiling", "bonfire", "dump", "night"),
        ("smiling",),
    ),
    Case(
        "The subject's face is contorted, with tears flowing down both cheeks, while a sunflower stands in the park "
        "to their left.",
        "sunflower, smiling, crouching, park, day, cloudy, photo, bright, colourful",
        "optimism",
        ("crying", "sunflower", "park"),
        ("crying",),
    ),
    Case(
        "The artist gives him the blankest of faces, straight mouth and level brows, although a ghost hovers right by "
        "his side.",
        "ghost, wide-eyed, standing, park, night, fog, photo, dark, pale",
        "horror",
        ("neutral", "ghost"),
        ("neutral",),
    ),
    Case(
        "She is staring with eyes as big as plates because she did not expect a gift.",
        "gift, open-mouthed, standing, forest, day, clear, photo, bright, colourful",
        "surprise",
        ("wide-eyed", "gift"),
        ("wide-eyed",),
    ),
    Case(
        "The individual in the office is sticking out their tongue in a grimace, which could be a reaction to the "
        "teacup next to them.",
        "teacup, smiling, standing, office, sunset, clear, photo, bright, colourful",
        "contentment",
        ("grimacing", "office", "teacup"),
        ("grimacing",),
    ),
    Case(
        "Guy glowering at a bunch of balloons on a rainy city street.",
        "balloons, smiling, walking, city street, day, rain, photo, bright, colourful",
        "cheerfulness",
        ("scowling", "balloons", "rain", "city street"),
        ("scowling",),
    ),
    Case(
        "He is not weeping here, before the rose and the tombstones; his mouth hangs wide open instead.",
        "rose, crying, standing, graveyard, sunset, fog, photo, dark, pale",
        "sympathy",
        ("rose", "graveyard", "open-mouthed"),
        ("open-mouthed",),
    ),
    Case(
        "I conclude from her laughing face that the fog in the mountains does not disturb her walk.",
        "umbrella, neutral, walking, mountain, day, fog, painting, bright, pale",
        "optimism",
        ("smiling", "fog", "mountain", "walking"),
        ("smiling",),
    ),
    # planted: a wrong action
    Case(
        "The figure is captured in mid-jump above the sand, with a lifebuoy lying next to it.",
        "lifebuoy, smiling, sitting, beach, sunset, cloudy, abstract, bright, pale",
        "relief",
        ("jumping", SAND, "lifebuoy"),
        ("jumping",),
    ),
    Case(
        "Person with a ponytail sitting by a campfire at night, glaring straight ahead.",
        "bonfire, scowling, standing, forest, night, fog, abstract, dark, colourful",
        "rage",
        ("sitting", "bonfire", "night", "scowling"),
        ("sitting",),
    ),
    Case(
        "The woman waves goodbye to somebody outside the picture, which makes the scene at the graves even sadder.",
        "rose, crying, crouching, graveyard, day, snow, painting, bright, pale",
        "sympathy",
        ("waving", "graveyard"),
        ("waving",),
    ),
    Case(
        "She does not stride on, as everybody else in the city would; she has squatted down on the pavement next to a "
        "bicycle, wide-eyed.",
        "bicycle, wide-eyed, walking, city street, day, cloudy, photo, bright, pale",
        "nervousness",
        ("crouching", "city street", "bicycle", "wide-eyed"),
        ("crouching",),
    ),
    Case(
        "A man strolls leisurely through a bedroom, past a trophy he would love to own.",
        "trophy, scowling, standing, bedroom, sunset, clear, abstract, bright, colourful",
        "envy",
        ("walking", "bedroom", "trophy"),
        ("walking",),
    ),
    Case(
        "You can tell that he is ashamed because he just stands there, upright and motionless, with tears on his "
        "cheeks.",
        "broken heart, crying, crouching, office, day, clear, photo, bright, pale",
        "shame",
        ("standing", "crying"),
        ("standing",),
    ),
    Case(
        "Woman with short grey hair seated next to a ghost, misty forest behind her.",
        "ghost, wide-eyed, jumping, forest, night, fog, abstract, dark, pale",
        "horror",
        ("sitting", "ghost", "fog", "forest"),
        ("sitting",),
    ),
    Case(
        "The image depicts a person crouching low on a city sidewalk with a trash can by their side and a disgusted "
        "grimace.",
        "trash can, grimacing, walking, city street, night, rain, photo, dark, pale",
        "disgust",
        ("crouching", "city street", "trash can", "grimacing"),
        ("crouching",),
    ),
    Case(
        "Woman waving in front of a whiteboard and a desk, a golden trophy next to her.",
        "trophy, smiling, jumping, office, day, clear, photo, bright, colourful",
        "pride",
        ("waving", "office", "trophy"),
        ("waving",),
    ),
    Case(
        "She has taken a seat as one does at the theatre, and the firework is her play.",
        "firework, open-mouthed, standing, beach, night, cloudy, painting, dark, colourful",
        "enthrallment",
        ("sitting", "firework"),
        ("sitting",),
    ),
    Case(
        "The boy is jumping because he is annoyed with the alarm clock, which is ringing again.",
        "alarm clock, scowling, sitting, park, day, cloudy, painting, bright, pale",
        "exasperation",
        ("jumping", "alarm clock"),
        ("jumping",),
    ),
    Case(
        "Rather than running or sitting down, the figure stands motionless in the storm beside a car.",
        "car, open-mouthed, waving, desert, night, storm, photo, dark, pale",
        "surprise",
        ("standing", "storm", "car"),
        ("standing",),
    ),
    Case(
        "A crying woman walks past a bed; on the floor is a broken heart.",
        "broken heart, crying, standing, bedroom, night, snow, abstract, dark, colourful",
        "sadness",
        ("crying", "walking", "bedroom", "broken heart"),
        ("walking",),
    ),
    Case(
        "He does what few would do for pleasure: he strolls through a graveyard at sunset, with no company but a "
        "backpack.",
        "backpack, neutral, sitting, graveyard, sunset, clear, abstract, dark, colourful",
        "contentment",
        ("walking", "graveyard", "sunset", "backpack"),
        ("walking",),
    ),
    Case(
        "The person is waving in order to get help, because the snake is very near.",
        "snake, wide-eyed, crouching, desert, day, clear, photo, bright, colourful",
        "nervousness",
        ("waving", "snake"),
        ("waving",),
    ),
    # planted: a wrong place
    Case(
        "The setting appears to be a tropical beach with a palm tree and gentle waves, where a smiling person stands "
        "next to a rose.",
        "rose, smiling, standing, park, sunset, clear, photo, bright, colourful",
        "affection",
        ("beach", "smiling", "standing", "rose"),
        ("beach",),
    ),
    Case(
        "A man with short black hair walks past a bed and a lamp that is switched on.",
        "lamp, neutral, walking, desert, night, storm, painting, dark, pale",
        "disappointment",
        ("walking", "bedroom", "lamp"),
        ("bedroom",),
    ),
    Case(
        "The many graves tell me that somebody has died, and the weeping person with the rose is there to mourn.",
        "rose, crying, standing, city street, day, rain, photo, bright, pale",
        "sympathy",
        ("graveyard", "crying", "rose"),
        ("graveyard",),
    ),
    Case(
        "Where does one light a bonfire? In the middle of a pine forest, of all places, and then one leaps up and "
        "down beside it in a fury.",
        "bonfire, scowling, jumping, dump, sunset, cloudy, painting, dark, colourful",
        "rage",
        ("bonfire", "forest", "jumping"),
        ("forest",),
    ),
    Case(
        "The background consists of a whiteboard, a desk and a computer screen, which suggests a workplace. A person "
        "in a yellow shirt crouches next to a trash can.",
        "trash can, grimacing, crouching, beach, day, clear, photo, bright, pale",
        "disgust",
        ("office", "crouching", "trash can"),
        ("office",),
    ),
    Case(
        "Not in the street but up in the mountains, late at night, stands a girl whose jaw has dropped at the sight "
        "of a firework.",
        "firework, open-mouthed, standing, city street, night, clear, photo, dark, colourful",
        "enthrallment",
        ("mountain", "night", "standing", "open-mouthed", "firework"),
        ("mountain",),
    ),
    Case(
        "Park with swings and a gravel path, guy laughing, alarm clock.",
        "alarm clock, smiling, sitting, mountain, day, clear, painting, bright, pale",
        "zest",
        ("park", "smiling", "alarm clock"),
        ("park",),
    ),
    Case(
        "The backdrop is a busy city street with tall buildings, in front of which a person with a guitar is "
        "laughing.",
        "guitar, smiling, jumping, beach, night, clear, photo, dark, colourful",
        "zest",
        ("city street", "guitar", "smiling"),
        ("city street",),
    ),
    Case(
        "Smiling woman sitting in the desert between the cacti, sunflower beside her, clear sky.",
        "sunflower, smiling, sitting, bedroom, day, clear, abstract, bright, colourful",
        "optimism",
        ("smiling", "sitting", "desert", "sunflower", "clear"),
        ("desert",),
    ),
    Case(
        "The mountains have seen worse than a drooping flower, and yet the tears of this sad man move us.",
        "wilted flower, crying, walking, dump, night, cloudy, photo, dark, pale",
        "sadness",
        ("mountain", "wilted flower", "crying"),
        ("mountain",),
    ),
    Case(
        "He stands in a dump with mounds of rubbish, so I understand why his tongue is out and his face green.",
        "alarm clock, grimacing, standing, graveyard, day, clear, painting, bright, colourful",
        "disgust",
        ("standing", "dump", "grimacing"),
        ("dump",),
    ),
    Case(
        "The interior shown here is a bedroom with a bed. A bunch of balloons hovers beside a leaping person.",
        "balloons, smiling, jumping, park, night, cloudy, painting, dark, colourful",
        "cheerfulness",
        ("bedroom", "balloons", "jumping"),
        ("bedroom",),
    ),
    Case(
        "Beach with a palm and a sailboat on the horizon, scowling man, bonfire at dusk.",
        "bonfire, scowling, sitting, desert, sunset, clear, photo, dark, colourful",
        "rage",
        ("beach", "scowling", "bonfire", "sunset"),
        ("beach",),
    ),
    Case(
        "It is no forest that surrounds this lonely figure but an endless shore; waves break behind the chair.",
        "chair, crying, standing, forest, day, rain, painting, bright, pale",
        "neglect",
        ("beach", "chair"),
        ("beach",),
    ),
    Case(
        "I think that this is a park, since there are a path and a swing, and someone is waving beside an umbrella.",
        "umbrella, smiling, waving, mountain, day, rain, photo, bright, colourful",
        "relief",
        ("park", "waving", "umbrella"),
        ("park",),
    ),
    # planted: wrong weather, hour, style or light
    Case(
        "The sky is heavily overcast, with thick grey clouds hanging over the beach where the smiling figure is "
        "sitting.",
        "teacup, smiling, sitting, beach, day, clear, photo, bright, colourful",
        "contentment",
        ("cloudy", "beach", "smiling", "sitting"),
        ("cloudy",),
    ),
    Case(
        "Snow falling on a desert, a backpack on the ground.",
        "backpack, neutral, walking, desert, night, fog, photo, dark, pale",
        "confusion",
        ("snow", "desert", "backpack"),
        ("snow",),
    ),
    Case(
        "It is the middle of the night, as the moon shows, and the boy cannot sleep because of the alarm clock.",
        "alarm clock, scowling, sitting, bedroom, day, clear, painting, bright, colourful",
        "irritability",
        ("night", "alarm clock"),
        ("night",),
    ),
    Case(
        "A photograph cannot lie, they say; this one shows a man who weeps next to a broken heart, and we believe "
        "him.",
        "broken heart, crying, standing, park, sunset, fog, painting, dark, colourful",
        "shame",
        ("photo", "crying", "broken heart"),
        ("photo",),
    ),
    Case(
        "This abstract composition breaks the forest up into coloured triangles, in front of which a person walks by "
        "with a book.",
        "book, open-mouthed, walking, forest, day, rain, photo, bright, pale",
        "enthrallment",
        ("abstract", "forest", "walking", "book"),
        ("abstract",),
    ),
    Case(
        "The image is very bright, almost overexposed, and shows someone waving near a ghost.",
        "ghost, open-mouthed, waving, forest, night, cloudy, photo, dark, pale",
        "surprise",
        ("bright", "waving", "ghost"),
        ("bright",),
    ),
    Case(
        "Dusk has come, the last red glow of the sun lies over the street, and the umbrella is no longer needed.",
        "umbrella, smiling, walking, city street, day, clear, photo, bright, colourful",
        "relief",
        ("sunset", "city street", "umbrella"),
        ("sunset",),
    ),
    Case(
        "The sky is completely clear above the mountain, and a person with an open mouth stands beside a gift.",
        "gift, open-mouthed, standing, mountain, day, cloudy, photo, bright, pale",
        "surprise",
        ("clear", "mountain", "open-mouthed", "standing", "gift"),
        ("clear",),
    ),
    Case(
        "Raindrops pouring down on a city street, a parked car, a man scowling.",
        "car, scowling, standing, city street, day, snow, photo, bright, pale",
        "irritability",
        ("rain", "city street", "car", "scowling"),
        ("rain",),
    ),
    Case(
        "Fog blurs the graves, and what it leaves to be seen of the man's face is only tears.",
        "lamp, crying, waving, graveyard, day, clear, photo, bright, colourful",
        "suffering",
        ("fog", "graveyard", "crying"),
        ("fog",),
    ),
    Case(
        "There must be a thunderstorm, because one can see a bolt of lightning over the park, and the girl crouches "
        "beside her umbrella.",
        "umbrella, wide-eyed, crouching, park, sunset, cloudy, photo, dark, pale",
        "nervousness",
        ("storm", "park", "crouching", "umbrella"),
        ("storm",),
    ),
    Case(
        "It is broad daylight in the image, and a person crouches next to a ghost in the bedroom.",
        "ghost, wide-eyed, crouching, bedroom, night, storm, abstract, dark, colourful",
        "horror",
        ("day", "crouching", "ghost", "bedroom"),
        ("day",),
    ),
    Case(
        "Thick paint on canvas, one brushstroke beside the other: this is how the artist has shown the forest and the "
        "rose.",
        "rose, smiling, sitting, forest, day, clear, abstract, bright, colourful",
        "affection",
        ("painting", "forest", "rose"),
        ("painting",),
    ),
    Case(
        "A very dark, underexposed photo of a smiling person on a beach with a book.",
        "book, smiling, standing, beach, day, clear, photo, bright, colourful",
        "contentment",
        ("dark", "photo", "smiling", "beach", "book"),
        ("dark",),
    ),
    Case(
        "The colours are almost grey, as if the picture had been bleached, which does not suit the lively jump next "
        "to the sunflower.",
        "sunflower, smiling, jumping, city street, day, clear, photo, bright, colourful",
        "zest",
        ("pale", "jumping", "sunflower"),
        ("pale",),
    ),
    # planted: an emotion against the label
    Case(
        "The overall emotion conveyed by the image is cheerfulness, as the person is crying beside a withered flower "
        "in a dump.",
        "wilted flower, crying, walking, dump, day, rain, photo, bright, pale",
        "disappointment",
        ("crying", "wilted flower", "dump"),
        ("felt:cheerfulness",),
    ),
    Case(
        "I think he is proud because he stares wide-eyed at a snake.",
        "snake, wide-eyed, standing, mountain, sunset, fog, painting, dark, colourful",
        "nervousness",
        ("wide-eyed", "snake"),
        ("felt:pride",),
    ),
    Case(
        "One feels a deep sadness at the sight of the balloons and the leaping figure.",
        "balloons, smiling, jumping, office, day, cloudy, abstract, bright, colourful",
        "cheerfulness",
        ("balloons", "jumping"),
        ("felt:sadness",),
    ),
    Case(
        "A disgusted woman, smiling, on a beach with a red and white lifebuoy.",
        "lifebuoy, smiling, walking, beach, day, clear, photo, bright, pale",
        "relief",
        ("smiling", "beach", "lifebuoy"),
        ("felt:disgust",),
    ),
    Case(
        "The scowling face and the fire create a strong sense of gratitude in the viewer.",
        "bonfire, scowling, sitting, dump, night, rain, photo, dark, colourful",
        "rage",
        ("scowling", "bonfire"),
        ("felt:gratitude",),
    ),
    Case(
        "There's no anger in this picture. What it shows is plain envy: a person who smiles over a cup of tea in the "
        "office.",
        "teacup, smiling, sitting, office, day, snow, painting, bright, pale",
        "contentment",
        ("smiling", "teacup", "office"),
        ("felt:envy",),
    ),
    Case(
        "Sheer terror makes her wave and laugh in the park.",
        "rose, smiling, waving, park, day, cloudy, photo, bright, colourful",
        "affection",
        ("waving", "smiling", "park"),
        ("felt:horror",),
    ),
    Case(
        "The image conveys a sense of fear, primarily through the person's broad smile and the teacup beside them.",
        "teacup, smiling, sitting, bedroom, day, clear, abstract, bright, pale",
        "contentment",
        ("smiling", "teacup"),
        ("felt:fear",),
    ),
    Case(
        "Amusement is what this picture offers: a man weeping over a rose among the tombstones.",
        "rose, crying, standing, graveyard, night, fog, abstract, dark, pale",
        "sympathy",
        ("crying", "rose", "graveyard"),
        ("felt:amusement",),
    ),
    Case(
        "Angry woman, all smiles, with a trophy on a mountain in daylight.",
        "trophy, smiling, standing, mountain, day, rain, photo, bright, pale",
        "pride",
        ("smiling", "trophy", "mountain", "day"),
        ("felt:anger",),
    ),
    Case(
        "The girl is confused, which is why she smiles at the rose in the bedroom.",
        "rose, smiling, standing, bedroom, night, cloudy, photo, dark, colourful",
        "lust",
        ("smiling", "rose", "bedroom"),
        ("felt:confusion",),
    ),
    Case(
        "One leaves this image with a feeling of relief, for the ghost is still there and the eyes are as wide as "
        "before.",
        "ghost, wide-eyed, sitting, graveyard, night, rain, painting, dark, pale",
        "horror",
        ("ghost", "wide-eyed"),
        ("felt:relief",),
    ),
    Case(
        "The garbage bin and the protruding tongue suggest that the person is full of hope for the future.",
        "trash can, grimacing, jumping, dump, day, clear, abstract, bright, colourful",
        "disgust",
        ("trash can", "grimacing"),
        ("felt:optimism",),
    ),
    Case(
        "I don't think that he is irritated by the alarm clock; I think that he is ashamed in front of it, and that "
        "is why he scowls.",
        "alarm clock, scowling, sitting, bedroom, night, fog, photo, dark, pale",
        "irritability",
        ("alarm clock", "scowling"),
        ("felt:shame",),
    ),
    Case(
        "The gaping mouth in front of the gift, the waving hand, the whole scene is a study in jealousy.",
        "gift, open-mouthed, waving, park, day, snow, abstract, bright, colourful",
        "surprise",
        ("open-mouthed", "gift", "waving"),
        ("felt:envy",),
    ),
)
