"""What a text says a picture shows, and whether a scene bears it out: the judge of texts about drawn scenes.

Owns a word list of its own for the attributes of a scene (place, weather, hour, object, face, posture, style, light),
and one of everyday things that no scene contains. Takes English text and a scene's attributes, gives mentions and
faults in words. Nothing here knows how any text was made. What is denied, supposed, asked or merely compared with is
no mention (see `data.assertions`), nor are idioms, what things do ("a lamp stands beside her"), what viewers do,
or the colour of a thing. A part stands for its whole (tombstones: a graveyard).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tinyemo.data.assertions import Hit, around, assertions, lexicon
from tinyemo.data.felt import contradictions


@dataclass(frozen=True)
class Mention:
    """One thing that a text says the picture shows. `values`: all values of the attribute that its word fits."""

    attribute: str  # of the scene; "object" for things that no scene contains
    values: frozenset[str]
    text: str  # the words, as read


_HEAPS = ("heap", "pile", "mound", "mountain", "hill", "tip")
_WASTE = ("garbage", "trash", "rubbish", "waste", "refuse", "junk", "scrap")
# attribute -> "values: words; ...", "_" for a blank. Nouns take their plural by themselves; "~" marks verbs, which
# take all their forms
WORDS = {
    "background": """beach: wave_after_wave beach seaside seashore shore shoreline seafront coast coastline sea ocean
        surf bay waves tide palm sailboat sailing_boat seawater; graveyard: crosses the_dead graveyard cemetery
        churchyard burial_ground burial_site tomb tombstone grave gravestone headstone gravesite bare_tree dead_tree
        leafless_tree iron_fence; mountain: glacier mountain peak summit alps alpine mountainside mountaintop ridge
        snow_capped snow_covered_mountain snow_covered_peak snowy_peak snow_on_the_peak highland; dump: dump landfill
        garbage_dump rubbish_dump rubbish_tip scrapyard junkyard dumping_ground waste_ground tyre old_tire
        discarded_tire junk dumpsite; dump|trash_can: garbage trash rubbish waste refuse litter; forest: forest woods
        woodland jungle thicket grove; forest|park|mountain|graveyard|beach: tree pine fir spruce conifer evergreen
        treetop; city_street: houses street city road roadside downtown urban town pavement sidewalk buildings
        tall_building skyscraper high_rise street_lamp streetlamp streetlight lamp_post lamppost avenue boulevard alley
        asphalt tarmac tower_block apartment_block office_building office_block office_tower crosswalk zebra_crossing
        facade kerb curb cityscape metropolis house_front; bedroom: bedroom bed pillow blanket duvet bedside mattress
        curtain quilt headboard bedspread bedsheet bedclothes bedding; office: office desk workplace computer monitor
        filing_cabinet workstation cubicle whiteboard window_blind venetian_blind; city_street|office: building;
        bedroom|office: room indoors indoor interior; bedroom|office|city_street: window; desert: desert dune cactus
        cacti sahara; beach|desert: sand sandy; park: park playground swing swing_set lawn garden; park|mountain:
        meadow; beach|graveyard|mountain|dump|forest|city_street|desert|park: outdoors outdoor open_air""",
    "weather": """clear: clear sunny sunshine sunlight sunlit cloudless blue_sky fine_weather fair_weather clear_air
        under_the_sun in_the_sun sun_is_shining sun_shines sun_is_out bright_sun blazing_sun shining_sun; cloudy: cloudy
        overcast gray_sky gray_skies clouded; cloudy|rain|storm: cloud clouds; rain: rain rainy raining
        raining_cats_and_dogs rains raindrop raindrops drizzle drizzling drizzly downpour pouring it_pours rainfall
        cloudburst; snow: snow snowy snowing snows snowfall snowflake snowflakes flakes blizzard wintry snowstorm; fog:
        fog foggy mist misty haze hazy; storm: storm stormy thunder thunderstorm lightning storms tempest
        thunderclouds""",
    "time": """day: daytime daylight by_day midday noon noonday afternoon morning day in_the_day during_the_day; sunset:
        sunset dusk twilight sundown sunrise dawn daybreak golden_hour sun orange_sky last_light afterglow; day|sunset:
        sun; sunset|night: evening nightfall; night: night nighttime moon moonlit moonlight midnight nocturnal stars
        starry starlit starlight crescent nightly""",
    "object": """rose: rose rosebud; trophy: cup trophy golden_cup gold_cup silver_cup winner_'s_cup championship_cup
        prize award prize_cup winning_cup loving_cup cup_he_has_won cup_she_has_won cup_they_have_won; gift: gift
        present parcel package wrapped_box; balloons: balloon; lifebuoy: lifebuoy life_ring lifebelt life_belt ring_buoy
        life_preserver lifesaver life_saver rescue_ring buoy lifering swimming_ring; sunflower: sunflower; firework:
        firework pyrotechnic sparkler rocket; teacup: teacup cup mug tea saucer; rose|sunflower|wilted_flower: flower
        bouquet blossom bloom petal plant; wilted_flower: petals_on_the_floor petals_on_the_ground ~droop
        petals_have_fallen fallen_petals lost_its_petals loses_its_petals wilted wilting withered withering limp
        shriveled faded_flower dead_flower dying_flower dried_flower dead_plant dying_plant dead_rose dying_rose;
        broken_heart: heart; alarm_clock: clock alarm; bonfire: bonfire campfire fire flame blaze burning_log
        burning_wood; snake: snake serpent viper cobra python adder reptile rattlesnake; ghost: ghost spectre specter
        phantom apparition spook wraith ghostly_figure ghostly_shape; trash_can: leftovers can trash_can garbage_can bin
        rubbish_bin dustbin waste_bin trash_bin garbage_bin wastebasket waste_basket litter_bin wastepaper_basket ashcan
        dumpster; umbrella: umbrella brolly parasol; book: volume book novel paperback textbook; chair: chair armchair;
        guitar: instrument guitar; car: car automobile sedan motorcar; lamp: lamp table_lamp desk_lamp lampshade
        standing_lamp; backpack: bag backpack rucksack knapsack school_bag schoolbag satchel; camera: camera
        photo_camera; bicycle: bicycle bike pushbike; car|bicycle: vehicle means_of_transport""",
    "expression": """smiling: corners laughter laugh ~smile ~grin ~beam ~laugh ~chuckle ~giggle smirk; crying: tears
        teary misty_eyed tearful tearfully teardrop tear_stained ~cry ~weep wept ~sob sob ~wail ~bawl; scowling: ~furrow
        ~scowl ~frown ~glare ~glower gritted grits gritting clenched clenches bared baring bares grinding brow brows
        eyebrows gnash; wide-eyed|open-mouthed: round; wide-eyed: popping large wide_eyed wide huge ~bulge goggling
        goggle enormous saucer_eyed eyes_like_saucers bug_eyed saucers widened; grimacing: green ~grimace tongue
        scrunched wrinkled wrinkles crinkled screwed pulling_a_face pulls_a_face making_a_face makes_a_face contorted
        twisted squeezed squinched pinched ~wince; open-mouthed: an_o a_round_o gaping agape ~gape open stands_wide_open
        stands_open slack_jawed ~gasp jaw ~scream ~shout ~yell ~yawn rounded_mouth o_shaped_mouth; neutral:
        shows_nothing show_nothing betrays_nothing without_emotion without_any_emotion neutral blank blankly
        expressionless expressionlessly deadpan impassive impassively poker_face poker_faced straight_face
        straight_faced stony_face stony_faced no_expression without_expression no_particular_expression
        without_any_expression emotionless unreadable vacant plain_face unmoved no_emotion unsmiling gives_nothing_away
        stone_faced inexpressive no_sign_of_emotion""",
    "action": """standing: ~stand stood upright on_his_feet on_her_feet on_their_feet; sitting: ~sit sat seated stool
        takes_a_seat has_taken_a_seat perched perches; walking: on_the_move one_foot_before_the_other takes_a_step
        takes_another_step taking_a_step steps_forward ~tiptoe ~walk ~stroll ~stride strode ~march ~wander ~pace walker
        stroller on_foot ~trudge ~amble ~saunter; jumping: springs sprang sprung off_the_ground ~jump ~leap leapt ~hop
        midair mid_air airborne ~bounce ~bound; waving: ~wave ~raise ~lift holds_up hand_raised arm_raised
        hand_in_greeting hand_is_raised one_hand_up; crouching: ~crouch ~squat ~huddle ~hunker ~cower hunched ~hunch
        curled_up curls_up ~kneel knelt doubled_over doubled_up on_his_haunches on_her_haunches; running: ~run ran
        ~sprint ~jog; lying: lying lies_down laying_down; sleeping: ~sleep asleep slept; dancing: ~dance; swimming:
        ~swim swam; climbing: ~climb""",
    "style": """photo: photo photos photograph photographs snapshot photographic photography photorealistic photographed
        like_a_photo like_a_photograph like_an_old_photo like_an_old_photograph; painting: painting paintings painted
        watercolor brushstroke brushstrokes brush_strokes brushwork canvas impasto painterly like_a_painting
        like_an_oil_painting; abstract: abstract abstraction geometric facets cubist cubism abstract_painting polygons
        flat_shapes geometrical faceted""",
}
# the same for light; "~" marks adjectives that must be said of the picture
LIGHT = {
    "brightness": """dark: poor_light into_the_dark ~dark ~dim ~murky ~gloomy ~shadowy ~dusky ~dingy dimly_lit
        poorly_lit badly_lit underexposed low_light darkness faint_light light_is_low light_is_poor light_is_weak
        little_light barely_lit under_exposed in_shadow; bright: ~bright brightly_lit well_lit overexposed
        bathed_in_light flooded_with_light full_of_light light_filled brilliantly_lit brightness over_exposed""",
    "colorfulness": """pale: ~pale washed_out ~muted desaturated ~faded ~drained ~bleached drained_of_color
        black_and_white monochrome gray_scale grayscale little_color colorless ~drab ~dull hardly_any_color ~pallid
        ~subdued; colourful: ~colorful ~vivid ~vibrant ~saturated rich_colors full_of_color riot_of_color bright_colors
        bold_colors strong_colors brightly_colored blaze_of_color rich_in_color ~gaudy""",
}
OUTSIDE = """bottle_of_wine glass_of_wine teddy_bear dragonfly drone moth peacock flamingo ostrich seal octopus otter
    badger raccoon panda koala leopard cheetah hippo rhino buffalo moose reindeer llama turkey sparrow robin vulture
    hawk lobster squid grasshopper caterpillar parrot submarine spaceship bulldozer crane excavator carriage wagon cart
    wheelbarrow roller_skate parachute jet airship ufo noodles pasta rice salad pancake croissant popcorn steak
    pineapple coconut mango milk juice champagne cocktail vacuum_cleaner towel soap lipstick bracelet earring tiara wig
    beard walking_stick briefcase basket barrel jar tray chopsticks chandelier light_bulb flashlight typewriter printer
    loudspeaker tripod globe blackboard screwdriver wrench drill chainsaw lawnmower hose watering_can antenna chimney
    balcony staircase stairs escalator elevator gate hedge pier harbor deckchair volleyball trampoline slide seesaw
    puzzle alien wizard astronaut mummy airplane plane aeroplane helicopter train bus truck lorry van motorcycle
    motorbike scooter boat ship yacht canoe kayak ferry rowing_boat tractor ambulance tram hot_air_balloon traffic_light
    fire_hydrant stop_sign bench bird crow raven seagull gull owl eagle pigeon dove duck swan goose chicken rooster hen
    dog puppy cat kitten horse pony donkey sheep lamb goat cow bull pig elephant bear zebra giraffe lion tiger wolf fox
    deer rabbit bunny hare squirrel mouse rat bat hedgehog monkey gorilla camel kangaroo penguin whale dolphin shark
    fish crab turtle tortoise frog toad lizard crocodile dragon dinosaur unicorn spider bee butterfly ladybird ladybug
    beetle snail scorpion jellyfish starfish seashell shell handbag purse suitcase wallet frisbee ski snowboard sled
    sledge ball football basketball kite skateboard surfboard racket bottle glass plate fork knife spoon bowl pan kettle
    teapot banana apple lemon strawberry grape pear watermelon pumpkin carrot broccoli tomato potato onion mushroom
    bread sandwich hamburger burger pizza donut doughnut cake cupcake cookie biscuit pie ice_cream lollipop candy egg
    cheese sausage soup beer wine candle lantern torch couch sofa table wardrobe bookshelf bookcase carpet rug cradle
    hammock tent picnic toilet bathtub mirror television tv laptop keyboard phone telephone smartphone radio microphone
    headphones microwave oven toaster refrigerator fridge fireplace stove washing_machine vase scissors doll toy puppet
    robot toothbrush broom bucket shovel spade axe hammer ladder rope chain key lock coin money treasure ring necklace
    crown medal sword shield gun pistol rifle bomb cannon arrow skull skeleton coffin witch vampire zombie monster clown
    angel fairy mermaid pirate crowd hat cap helmet scarf glove mitten glasses sunglasses mask newspaper magazine letter
    envelope postcard map flag sign pencil pen paintbrush easel piano violin cello drum trumpet flute saxophone harp
    accordion chessboard playing_card house cottage cabin hut castle church chapel tower lighthouse windmill barn farm
    bridge tunnel fountain statue river lake pond stream creek waterfall iceberg volcano cave rainbow snowman igloo
    scarecrow pyramid stadium circus carousel ferris_wheel kitchen bathroom living_room classroom school hospital
    restaurant cafe shop supermarket museum library theater cinema stage gym garage prison airport pool wheelchair pram
    tulip daisy lily orchid daffodil dandelion christmas_tree wreath mosquito wasp calendar door sandcastle anchor
    telescope binoculars hourglass wristwatch cigarette pipe syringe bandage crutch barbecue caravan taxi"""
# value -> what its drawing shows besides
DRAWN = {"beach": ("boat", "ship", "yacht"), "office": ("table",), "storm": ("rain",), "mountain": ("snow",)}
LEVELS = {"brightness": ("dark", "bright"), "colorfulness": ("pale", "colourful")}  # below and from one half
# phrases that show nothing
IDIOMS = """heart_of_the ghost_of_a tears_or_no_tears on_the_moon is_an_open_book head_or_tail heads_or_tails by_heart
    at_heart take_heart heart_and_soul heart_to_heart light_hearted heavy_heart book_a_trip book_a_table in_light_of
    car_park ghost_town down_in_the_dumps fish_bone fish_bones fishbone stand_out stands_out standing_out stand_for
    stands_for stands_in_contrast stands_in_stark sits_well jump_scare jump_to_conclusions jumps_to_conclusions
    bright_side bright_idea bright_future dark_side dark_humor dark_horse dark_secret end_of_the_day day_by_day
    day_after_day one_day day_off over_the_moon under_the_weather storm_in_a_teacup my_cup_of_tea piece_of_cake
    elephant_in_the_room tip_of_the_iceberg flower_bed river_bed sea_bed bed_of_roses end_of_the_tunnel walk_in_the_park
    smell_the_roses alarm_bells snake_oil crocodile_tears cry_for_help crying_shame wave_of waves_of leap_of_faith
    leaps_out jumps_out jump_out in_the_long_run beam_of_light tears_apart tears_down camera_shy camera_angle
    rose_tinted rose_colored gift_for gift_of_gab storm_of sea_of cloud_of fog_of haze_of ray_of flood_of rainbow_ofs
    heart_sink sea_change at_bay on_fire mood_swings in_full_swing family_tree post_office night_light good_night
    last_night sleepless_night good_morning mother_tongue forked_tongue key_to key_element key_role key_point wide_range
    wide_variety wide_angle wide_shot photo_shoot paint_a_picture paints_a_picture painting_a_picture pale_in_comparison
    on_the_road_to in_the_wake_of"""

_DET = r"(?:an?|the|this|that|his|her|their|its|one|two|three|four|some|several|many|another|single|little|small|big|" \
       r"large|huge|tall|old|young|brown|black|white|red|blue|green|yellow|golden|wooden|purple|pink|colorful|of|" \
       r"with|empty|beautiful|wrapped|birthday|tiny|lonely|shiny)"
_VIEWER = r"(?:me|us|you|one|anyone|everyone|everybody|people|viewers?|the viewer|onlookers?|observers?)"
_FACE = r"face|expression|look|looks|stare|stares|features|gaze|eyes|person|figure|man|woman|mouth|visage|countenance"
_EYES = r"@ (?:open |round |staring |\w+ )?eyes|eyes (?:\w+ |, ){0,5}@"
_PLANT = r"flower|plant|blossom|bloom|petals?|stem|bouquet|roses?|flowerpot|sunflowers?|leaves"
_NOUN = rf"\b{_DET} @|^@"
# word -> what must stand about it (@) for it to show what it says
NEEDS: dict[str, str] = {
    "heart": r"broken|crack\w*|torn|split|hal(?:f|ves)|pieces|shattered|jagged|shards|fractur\w*|ripped|cleft|"
             r"\ba (?:red|pink|big|large|crimson|magenta) @",
    "present": rf"\b{_DET} @(?! (?:moment|day|time|state|situation|an?|the|us|itself)\b)",
    **dict.fromkeys("wilted wilting withered withering droop limp shriveled".split(), _PLANT),
    "furrow": r"brows?|face|forehead|eyebrows",
    **dict.fromkeys("brow brows eyebrows".split(), r"furrow\w*|knit\w*|lowered|drawn|pulled|creased|contracted|angry"),
    **dict.fromkeys("gritted grits gritting clenched clenches bared baring bares grinding gnash".split(), r"teeth|jaw"),
    **dict.fromkeys("wide bulge popping goggling goggle enormous saucers widened".split(), _EYES),
    **dict.fromkeys("screwed scrunched wrinkled wrinkles crinkled contorted twisted squeezed squinched pinched".split(),
                    r"nose|face|eyes|features|mouth"),
    **dict.fromkeys(("open", "stands wide open", "stands open"),
                    r"@ (?:\w+ ){0,2}(?:mouth|jaw|lips)|(?:mouth|jaw|lips) (?:\w+ ){0,4}@"),
    **dict.fromkeys("round large huge".split(), r"@ (?:\w+ )?eyes|"
                    r"eyes (?:(?:have|are|grown|grow|as|so|very|open|,|which|and|\w+ly) )+@"),
    "the dead": r"\b(?:lie|rest|sleep)s? @",
    "green": r"@ (?:\w+ )?face|face (?:has |is |all |turn\w+ |gone |looks )*@",
    "corners": r"(?=.*mouth).*\bup|(?=.*mouth).*(?:raised|lifted)",
    **dict.fromkeys(("an o", "a round o"), r"mouth|lips"), "can": r"\b(?:the|metal|overflowing) @|\ba @ (?:full|of)",
    "crosses": r"\b(?:with|the|of|stone|wooden|and|under|iron|stones) @(?! (?:the|an?|his|her)\b)",
    **dict.fromkeys(("raise", "lift", "holds up"), r"@ (?:an?|one|his|her|their|the) (?:\w+ )?(?:hand|arm)\b"),
    "cup/trophy": r"w[io]n\w*|gold\w*|silver|champion\w*|victory|triumph\w*|handles",
    "sun/sunset": r"@ (?:\w+ ){0,4}(?:sets?|setting|sinks?|sinking|(?:goes|going|gone|went) down|dips?|low|slips)\b|"
                  r"\b(?:setting|sinking|low|dying) @",
    "jaw": r"drop\w*|hang\w*|slack|open|f[ae]ll\w*|gap\w*",
    **dict.fromkeys("blank neutral vacant unreadable unmoved".split(),
                    rf"@ (?:\w+ )?(?:{_FACE})|(?:{_FACE}|he|she|they|somebody|someone) (?:is|are|looks|stays|remains|"
                    r"keeps)(?: \w+)? @|face .*@|expression @|: @|^@"),
    "day": r"\b(?:sunny|rainy|snowy|foggy|stormy|cloudy|clear|bright|gray|misty|overcast|wintry|cloudless|gloomy|wet|"
           r"middle of the|light of) @",
    "clear": r"\bsk(?:y|ies)\b|@ (?:night|evening|weather|morning|day|afternoon|sunset|blue)|weather",
    "waves": r"\b(?:the|gentle|small|blue|foamy|by|rolling|white|lapping|some|sea|of) @|"
             r"@ (?:roll|crash|lap|break|come|wash|lapping|crashing|rolling)",
    "swing": _NOUN + r"(?! of)",
    **dict.fromkeys("train bear duck sign map mask ring lock key letter pipe shop stage fish crowd stream glass cap "
                    "shell pool hammer shield pan fork ball bat bull mouse gun hare pen racket bowl door tower".split(),
                    _NOUN),
}
# word -> what must not
UNLESS: dict[str, str] = {
    "camera": r"\b(?:look|smil|star|gaz|wav|grin|beam|glar|scowl|pos|turn|eyes|face|gape|stick)\w* (?:\w+ ){0,4}"
              r"(?:into|at|towards?|to|for) the @(?! (?:he|she|they|that|which|beside|next|on|lying|in front)\b)|"
              r"\b(?:into|facing|faces|before|off|towards?) the @|@ (?:captures|catches|caught|zooms|has caught)",
    "rose": r"\b(?:sun|moon|he|she|they|it|smoke|who|voice|voices|slowly|figure|person|man|woman) @|"
            r"^@ (?:up|from|to)\b|\b(?:wilt\w+|wither\w+|droop\w+|dead|dying|dried) @",
    "tears": rf"\bto @|\bto (?:my|our|your|{_VIEWER})\b.* eyes",
    **dict.fromkeys(("smile", "grin", "laugh"), rf"\bmak\w+ {_VIEWER} (?:want to )?@|@ to (?:my|our|your|{_VIEWER})\b"),
    "fire": r"@ (?:truck|fighter)|eyes (?:are |full )?(?:on |of )?@|@ in (?:his|her|their|the) eyes",
    "painted": r"@ (?:nails|face|lips|wall)|face @", "abstract": r"@ (?:idea|concept|notion|thought|sense|feeling)",
    "night": r"\b(?:every|all|first|opening|wedding|one|that) @|@ after",
    **dict.fromkeys(("morning", "afternoon"), r"\b(?:this|every|monday|next) @"),
    "grave": rf"@ (?:{_FACE}|mood|matter|news|concern|danger|tone|voice)\b|\b(?:is|looks|very) @",
    "building": r"@ (?:up|an?|the)\b|\b(?:is|are|tension) @", "mountain": r"@ of (?:work|debt|problems|paper)",
    "neutral": r"@ (?:colors?|background|tones?|light|gray|wall)", "gaping": r"@ (?:hole|wound|grave|abyss)",
    "glass": r"@ (?:facade|wall|window|door|front|building|tower)", "ring": r"\b(?:clock|alarm|bells?|that|it|phone) @",
    "snake": r"\b(?:path|road|river|that|which|line|it) @|@ (?:past|through|along|its way|across)",
    "rain": r"sparks @|@ (?:down )?from", **dict.fromkeys(("contorted", "twisted"), r"snarl|scowl|smile|rage|anger"),
    "book": r"\bto @", "flame": r"\bold @", "blaze": r"@ of", "storm": r"@ (?:off|out)\b", "dawn": r"@ (?:of|on)\b",
    "room": r"@ for|\b(?:no|dining|waiting) @", "bed": r"@ of\b", "peak": r"\bits @|@ (?:moment|time|season)",
    "refuse": r"@ to", "park": r"\bto @", "sign": r"@ (?:of|that)", "tongue": r"snake|serpent|fork", "pool": r"@ of",
    "waste": r"@ (?:of|an?|the|time)", "crowd": r"\bboth @", "prize": r"@ possession", "sun": r"\bunder the @",
}

# who is called bright or dark, pale or colourful, when the picture is
_ALL = r"picture|image|scene|photo\w*|painting|shot|frame|place|setting|surroundings|everything|view|canvas|snapshot|" \
       r"composition|backdrop|background|room|atmosphere|it|beach|seaside|forest|woods|park|street|office|bedroom|" \
       r"graveyard|cemetery|desert|dump|landfill|mountains?|interior|landscape|city|world"
_HEADS = {"brightness": rf"{_ALL}|light|lighting|day|illumination",
          "colorfulness": rf"{_ALL}|colors?|palette|tones?|hues?|shades?"}
_OF_LIGHT = {
    attribute: re.compile(
        r"@ (?:(?!(?:in|of|on|the|an?|with|at|about|for|from|smile)\b)(?:\w+|,) ){0,2}(?!it\b)"
        rf"(?:{heads})\b|\b(?:{heads}) (?:\w+ )?(?:is|are|looks?|seems?|feels?|appears?|was|stays|remains|turns|'s)"
        r"(?: \w+ly| very| quite| rather| so| too| all| \w+ (?:,|and))* @|^@ [,.]|, @$")
    for attribute, heads in _HEADS.items()
}
_CLAUSE_ENDS = {*".,;:!?()\n", "while"}
_PERSON = re.compile(
    r"\b(?:persons?|people|m[ae]n|wom[ae]n|boys?|girls?|child|children|kid|someone|somebody|one|figure|he|she|they|who|"
    r"individual|guy|lady|face|character|hiker|visitor|walker|stranger|soul|subject|protagonist|youth|fellow|loner|"
    r"wanderer|mouth|eyes|teenager|adult|human|nobody|everyone)\b")
_OFTEN_OF_THINGS = {"running", "lying", "sleeping", "swimming", "dancing"}  # even where a person is near
_AFTER_A_THING = re.compile(r"(?:(?:is|are|was|were|that|which|also|just|now|still|'s|\w+ly) ){0,2}")
_BEFORE_A_THING = re.compile(r"(?:an?|the|two|three|another|some|his|her|their)(?: \w+){0,2}")


def _plural(noun: str) -> str:
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _forms(verb: str) -> set[str]:
    """All forms of a regular verb; of an irregular one some forms that nobody writes."""
    stem = verb.removesuffix("e")
    if re.search("^[^aeiou]*(?:qu)?[aeiou][^aeiouwxy]$", verb):
        stem += verb[-1]
    return {verb, _plural(verb), stem + "ing", verb[:-1] + "ied" if verb.endswith("y") else stem + "ed"}


@dataclass(frozen=True)
class _Sense:
    """What a word may show, and what must and must not stand about it for that."""

    attribute: str
    values: frozenset[str]
    marked: bool  # a verb; of light: an adjective that must be said of the picture
    needs: re.Pattern | None
    unless: re.Pattern | None


def _senses() -> dict[str, list[_Sense]]:
    """Phrase -> its senses, the first that fits its surroundings counting; none: an idiom."""
    table: dict[str, list[_Sense]] = {idiom.replace("_", " "): [] for idiom in IDIOMS.split()}
    rows = [(attribute, *entry.split(":")) for attribute, entries in (WORDS | LIGHT).items()
            for entry in entries.split(";")] + [("object", word, word) for word in OUTSIDE.split()]
    rows += [("background", "dump", f"{heap}_of_{what} {heap}s_of_{what} {what}_{heap}")
             for heap in _HEAPS for what in _WASTE]
    rows += [("background", "dump|trash can", f"{what}_bag bags_of_{what} bag_of_{what}") for what in _WASTE]
    for attribute, values, words in rows:
        fits = frozenset(values.strip().replace("_", " ").split("|"))
        for word in [word.replace("_", " ") for word in words.split()]:
            base = word.removeprefix("~")
            marked = word != base
            forms = {base, _plural(base)} if attribute in ("object", "background", "time") else {base}
            forms |= _forms(base) if marked and attribute not in LIGHT else set()
            keys = NEEDS.get(f"{base}/{values.strip()}", NEEDS.get(base)), UNLESS.get(base)
            needs, unless = (re.compile(key) if key else None for key in keys)
            for form in forms:
                table.setdefault(form, []).append(_Sense(attribute, fits, marked, needs, unless))
    return table


_LEXICON = lexicon(_senses())


def _sense(tokens: list[str], hit: Hit) -> _Sense | None:
    """The sense in which a word shows something here; None: it shows nothing."""
    surroundings = around(tokens, hit)
    for sense in hit.meaning:
        adjective = sense.attribute in LIGHT and sense.marked
        if (not (sense.needs and not sense.needs.search(surroundings))
                and not (sense.unless and sense.unless.search(surroundings))
                and not (adjective and not _OF_LIGHT[sense.attribute].search(surroundings))):
            return sense
    return None


def _of_a_thing(tokens: list[str], hit: Hit, sense: _Sense, read: list[tuple[Hit, _Sense]], later: list[Hit]) -> bool:
    """Whether a posture or face is some thing's: "a lamp stands", "beside her sits a gift"."""
    rare = sense.values <= _OFTEN_OF_THINGS
    if rare and not _PERSON.search(" ".join(tokens[max(hit.start - 4, 0):hit.start])):
        return True
    verbs = [earlier.end for earlier, its in read if its.marked]
    begin = max([i + 1 for i in range(hit.start) if tokens[i] in _CLAUSE_ENDS
                 or (tokens[i] == "and" and verbs and i >= verbs[-1])], default=0)
    if read and not read[-1][1].marked and read[-1][0].end >= begin:
        thing = read[-1][0]
        adjacent = _AFTER_A_THING.fullmatch(" ".join([*tokens[thing.end:hit.start], ""]))
        if adjacent and (rare or not _PERSON.search(" ".join(tokens[begin:thing.start]))):
            return True
    return bool(later and tokens[hit.start][0] in "sl" and any(its.attribute == "object" for its in later[0].meaning)
                and _BEFORE_A_THING.fullmatch(" ".join(tokens[hit.end:later[0].start])))


def mentions(text: str) -> list[Mention]:
    """What the text asserts to be in the picture, in the order of reading.

    A generic word is left out where a finer one of its attribute stands in the text (a flower beside a rose).
    """
    tokens, hits = assertions(text, _LEXICON)
    read: list[tuple[Hit, _Sense]] = []
    for i, hit in enumerate(hits, start=1):
        sense = _sense(tokens, hit)
        acts = sense and sense.marked and sense.attribute not in LIGHT
        if sense and not (acts and _of_a_thing(tokens, hit, sense, read, hits[i:])):
            read.append((hit, sense))
    found = [Mention(its.attribute, its.values, " ".join(tokens[hit.start:hit.end])) for hit, its in read]
    finest = {m.values: m for m in found if not any(m.attribute == o.attribute and o.values < m.values for o in found)}
    return list(finest.values())


def faults(text: str, attributes: Mapping[str, object], label: str = "") -> list[str]:
    """What is wrong with a text about a scene, a sentence each; nothing: it is faithful.

    `attributes`: all nine of a scene, brightness and colorfulness in [0, 1]; KeyError without one. Given a label, the
    emotions that the text names as felt must agree with it.
    """
    levels = {name: words[float(attributes[name]) >= 0.5] for name, words in LEVELS.items()}
    shown = {name: str(value) for name, value in {**attributes, **levels}.items()}
    seen = {extra for value in shown.values() for extra in (value, *DRAWN.get(value, ()))}
    return [f"{m.attribute} {' or '.join(sorted(m.values))} ({m.text!r}): the scene has {shown[m.attribute]}"
            for m in mentions(text) if m.values.isdisjoint(seen)] + \
           [f"felt {word}: the label is {label}" for word in sorted(contradictions(text, label) if label else ())]


def named(text: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the (attribute, value) pairs that the text names, in their order.

    A generic word names a pair when no other value that it fits is among the pairs.
    """
    pairs = list(pairs)
    meant = [[pair for pair in pairs if pair[1] in m.values] for m in mentions(text)]
    return [pair for pair in pairs if [pair] in meant]
