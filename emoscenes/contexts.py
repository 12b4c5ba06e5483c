"""What ambiguous words need about them: the contexts in which the judge of texts lets a word show what it may show.

Owns data alone: phrases that show nothing, and for words of `vocabulary` patterns of what must, or must not, stand
about them. A pattern is searched in the words of the sentence around a word, "@" in its place.
"""

# phrases that show nothing
IDIOMS = """heart_of_the ghost_of_a tears_or_no_tears on_the_moon is_an_open_book head_or_tail heads_or_tails by_heart
    at_heart take_heart heart_and_soul heart_to_heart light_hearted heavy_heart book_a_trip book_a_table in_light_of
    car_park ghost_town down_in_the_dumps fish_bone fish_bones fishbone stand_out stands_out standing_out stood_out
    stand_for stands_for stood_for sits_well jump_scare jump_to_conclusions jumps_to_conclusions bright_side
    bright_idea bright_future dark_side dark_humor dark_horse dark_secret end_of_the_day day_by_day day_after_day
    one_day day_off over_the_moon under_the_weather storm_in_a_teacup my_cup_of_tea piece_of_cake elephant_in_the_room
    tip_of_the_iceberg flower_bed river_bed sea_bed bed_of_roses end_of_the_tunnel walk_in_the_park smell_the_roses
    alarm_bells snake_oil crocodile_tears cry_for_help crying_shame wave_of waves_of leap_of_faith leaps_out jumps_out
    jump_out in_the_long_run beam_of_light tears_apart tears_down camera_shy camera_angle rose_tinted rose_colored
    gift_for gift_of_gab storm_of sea_of cloud_of fog_of haze_of ray_of flood_of rainbow_of heart_sink sea_change
    at_bay on_fire mood_swings in_full_swing family_tree post_office night_light good_night last_night sleepless_night
    good_morning mother_tongue forked_tongue key_to key_element key_role key_point wide_range wide_variety wide_angle
    wide_shot photo_shoot paint_a_picture paints_a_picture painting_a_picture pale_in_comparison on_the_road_to
    in_the_wake_of heart_sinks heart_sank heart_races heart_pounds heart_beats heart_aches heart_goes_out heart_goes
    heart_warming heart_rending broken_hearted heat_wave shock_wave mountain_goat city_life night_owl day_to_day
    nowadays these_days to_this_day the_other_day all_day_long save_the_day make_my_day carry_the_day day_dream
    walk_of_life walks_of_life stepping_stone step_by_step one_step_closer next_step last_step first_step in_step
    crystal_clear make_clear makes_clear made_clear crocodile_tear light_bulb_moment book_club book_of_life by_the_book
    in_the_book like_clockwork around_the_clock against_the_clock clockwork chair_person camera_obscura
    jumps_at_the_chance jump_for_it leap_year leaps_and_bounds by_leaps_and_bounds out_of_bounds no_bounds
    springs_to_mind sprang_to_mind spring_to_mind springs_to_life waves_of_emotion cloud_nine silver_lining
    head_in_the_clouds under_a_cloud rainy_day_fund right_as_rain come_rain_or_shine rain_or_shine
    calm_before_the_storm perfect_storm take_by_storm eye_of_the_storm snowed_under tip_of_the_tongue tongue_in_cheek
    tongue_tied sharp_tongue light_at_the_end flood_of_tears pool_of_light sea_legs all_at_sea lost_at_sea at_sea
    city_slicker playing_with_fire under_fire fire_in_his_belly spark_joy add_fuel fan_the_flames ball_of_fire
    can_of_worms tempest_in_a_teapot wheels_are_turning fifth_wheel fish_out_of_water cat_among_the_pigeons
    butterflies_in rat_race cold_fish lion_'s_share bear_in_mind bears_witness bear_witness hold_your_horses
    bull_'s_eye bird_'s_eye worm_'s_eye goose_bumps goose_pimples goosebumps black_sheep scapegoat guinea_pig
    mountain_of_work face_the_music bottle_up bottled_up bottles_up on_the_table off_the_table on_the_map on_the_mat
    the_last_straw house_of_cards ship_has_sailed train_of_thought in_the_same_boat rock_the_boat tower_over
    towers_over towering_over box_office rat_'s_tail key_figure sign_of signs_of sign_that a_sense_of_night
    standing_ovation lie_in lies_in lies_with road_to_recovery the_lion_'s_share forest_of jungle_of desert_of ocean_of
    oceans_of mountains_of_work crying_out_for cries_out_for cry_out_for crying_need stands_guard stands_to_reason
    stand_up_to standing_up_to stand_to_lose stand_a_chance long_standing outstanding walking_contradiction
    walk_away_from_it in_stride wide_awake wide_open_spaces far_and_wide wide_of_the_mark bright_eyed bright_as dead_of
    bad_day good_day perfect_day better_days big_day birthday day_in_the_life in_the_present at_present present_day
    photo_op in_the_spotlight the_spotlight in_the_limelight skies_the_limit body_of_work pale_blue pale_pink
    pale_green pale_yellow pale_gray pale_red pale_orange pale_purple dark_blue dark_green dark_red dark_gray
    dark_brown dark_purple bright_red bright_blue bright_green bright_yellow bright_orange bright_pink bright_purple
    light_blue vivid_red vivid_green vivid_blue vivid_yellow deep_red dull_red dull_green dull_gray dull_brown
    vibrant_red vibrant_yellow vibrant_green vibrant_blue fire_red snow_white jet_black ice_cold stone_cold
    sand_colored rose_red cherry_red wine_red chocolate_brown lemon_yellow blood_red tomato_red brick_red mint_green
    sea_green forest_green ocean_blue sky_blue night_table cup_of_joy world_of_his_own bed_bug house_of open_question
    open_minded open_air_of frown_upon frowned_upon frowns_upon bound_to bound_up greeting_card step_back_in_time
    blank_page blank_slate page_turner same_page turning_the_page turn_the_page spirit_of in_good_spirits
    in_high_spirits high_spirits team_spirit festive_spirit holiday_spirit spirit_level christmas_spirit low_spirits
    lifts_the_spirits lifts_his_spirits lifts_her_spirits raises_the_spirits fighting_spirit school_of_thought
    well_springs star_of stars_of_the_show the_star all_stars movie_star rock_star day_and_age
    gets_up_on_the_wrong_side wrong_side_of_the_bed cut_both_ways storm_out storms_out storm_off vicious_circle
    icing_on_the_cake cherry_on_top horse_around monkey_around dog_tired puppy_eyes puppy_dog_eyes bambi_eyes doe_eyed
    owl_eyed eagle_eyed hawk_eyed cat_nap wolf_down fox_like chicken_out rabbit_hole dead_duck sitting_duck lame_duck
    bull_in_a_china_shop mask_of blanket_of carpet_of veil_of curtain_of wall_of glass_of_water rope_of"""

_DET = (
    r"(?:an?|the|this|that|his|her|their|its|one|two|three|four|some|several|many|another|single|little|small|big|"
    r"large|huge|tall|old|young|brown|black|white|red|blue|green|yellow|golden|wooden|purple|pink|colorful|of|"
    r"with|empty|beautiful|wrapped|birthday|tiny|lonely|shiny)"
)
_VIEWER = (
    r"(?:me|us|you|one|anyone|everyone|everybody|people|viewers?|the viewer|onlookers?|observers?)"
)
_FACE = r"faces?|expression|look|looks|stare|stares|features|gaze|eyes|person|figure|man|woman|mouth|visage|countenance"
_EYES = (
    r"\beyes of (?:\w+ ){2,4}(?:is|are) (?:\w+ly )?@|"
    r"@ (?:, )?(?:open |round |staring |\w+ ){0,2}eyes|eyes (?:\w+ |, ){0,5}@"
)
_PLANT = r"flower|plant|blossom|bloom|petals?|stem|bouquet|roses?|flowerpot|sunflowers?|leaves|stalk|tulips?"
_NOUN = rf"\b{_DET} @|^@"
# a noun, with up to two adjectives: not what people or things do
_THING = (
    r"\b(?:an?|the|his|her|their|its|two|three|four|some|several|of|with|no|another|by|my|and a) "
    r"(?:(?!\w+s |man |woman |person |figure |boy |girl |child |he |she |to |sun |who |that |guy )[a-z]+ ){0,2}@"
    r"(?! (?:the|an?|his|her|him|it|me|us|them|up|down|away|back|over)\b)|^@|[,:] @(?: ,| and|$)|\band @$"
)
_IN_AIR = (
    r"\b(?:feet|foot|caught|suspended|high up|soar\w*|hover\w*|body|knees|legs|boots|shoes|heels|soles|sails|"
    r"flies|flung|flings|launch\w*|himself|herself|themselves|shoots|he is|she is|both) (?:\w+ ){0,4}@"
)
# word -> what must stand about it (@) for it to show what it says
NEEDS: dict[str, str] = {
    "heart": r"broken|crack\w*|torn|split|hal(?:f|ves)|pieces|shatter\w*|jagged|shards|fractur\w*|ripped|cleft|"
    r"in two|broke\b|\ba (?:red|pink|big|large|crimson|magenta) @",
    "present": rf"^@ (?:with|on|in|beside|under|next|wrapped|tied)\b|\b{_DET} @(?! (?:moment|day|time|state|"
    rf"situation|an?|the|us|itself|in|at|on|here|throughout)\b)",
    **dict.fromkeys(
        """wilted wilting wilt wilts withered withering wither withers droop limp shriveled shrivelled
        shriveling sagging""".split(),
        _PLANT,
    ),
    "furrow": r"brows?|face|forehead|eyebrows",
    **dict.fromkeys(
        "brow brows eyebrows".split(),
        r"furrow\w*|knit\w*|lowered|drawn|pulled|creased|contracted|"
        r"angry|slant\w*|v shape|together|draw",
    ),
    **dict.fromkeys(
        """gritted grits gritting clenched clenches bared baring bares grinding grinds gnash gnashes
        gnashing""".split(),
        r"teeth|jaw|tooth",
    ),
    **dict.fromkeys(
        "wide bulge popping goggling goggle enormous saucers widened widen widens widening".split(),
        _EYES,
    ),
    **dict.fromkeys(
        """screwed screws screwing scrunched scrunches scrunching wrinkled wrinkles wrinkling crinkled
        crinkles contorted twisted twists squeezed squinched pinched distorted puckered puckers""".split(),
        r"nose|face|eyes|features|mouth|lips",
    ),
    **dict.fromkeys(("sour", "bland"), r"@ (?:\w+ )?(?:face|expression|look)"),
    **dict.fromkeys(
        ("open", "stands wide open", "stands open", "ajar", "parted"),
        r"@ (?:\w+ ){0,2}(?:mouth|jaw|"
        r"lips)|(?:mouth|jaw|lips) (?:\w+ ){0,4}@",
    ),
    **dict.fromkeys(
        ("opens", "opened", "opening"), r"@ (?:\w+ ){1,2}(?:mouth|jaw)\b|mouth (?:\w+ ){0,2}@"
    ),
    "empty": r"@ (?:\w+ )?(?:face|expression|stare|look|gaze|eyes)\b|\b(?:face|expression|stare|look|gaze|"
    r"eyes) (?:is |are |as |looks |stays |remains |\w+ly )+@",
    "seat": r"\b(?:the|empty|wooden|vacant|a) @(?! (?:in|on|at|beside|next|by|of|and)\b)",
    **dict.fromkeys(("overflow", "brim"), r"eyes|tears"),
    "sparks": r"sky|color\w*|shower|burst|above|night",
    **dict.fromkeys(("died", "dying", "dead"), rf"\b(?:{_PLANT}) (?:\w+ ){{0,3}}@"),
    **dict.fromkeys(("hangs its head", "hanging its head", "hung its head"), _PLANT),
    "burning": r"@ (?:\w+ )?(?:pile|heap|stack|wood|logs?|branches|sticks|timber)\b",
    "o": r"mouth|lips",
    **dict.fromkeys(
        "round large huge big giant gigantic".split(),
        r"\beyes of (?:\w+ ){2,4}(?:is|are) (?:\w+ly )?@|"
        r"@ (?:\w+ )?eyes|eyes (?:(?:have|are|grown|grow|gone|go|become|as|so|very|open|,|which|and|"
        r"\w+ly) )+@",
    ),
    "the dead": r"\b(?:lie|rest|sleep)s? @",
    "green": r"@ (?:\w+ )?face|face (?:has |is |all |turn\w+ |gone |looks )*@",
    "corners": r"(?=.*(?:mouth|lips)).*\bup|(?=.*(?:mouth|lips)).*(?:raised|lifted|lift)",
    **dict.fromkeys(("forgets to shut", "forgets to close", "forgot to close"), r"mouth"),
    "can": r"\b(?:the|metal|overflowing) @|\ba @ (?:full|filled|of)",
    "crosses": r"\b(?:with|the|of|on|stone|wooden|and|under|iron|stones) @(?! (?:the|an?|his|her)\b)",
    **dict.fromkeys(
        ("raise", "lift", "holds up", "holding up"),
        r"@ (?:up )?(?:an?|one|his|her|their|"
        r"the) (?:\w+ ){0,2}(?:hand|arm|palm)\b",
    ),
    "cup/trophy": r"w[io]n\w*|gold\w*|silver|champion\w*|victory|triumph\w*|handles",
    "goblet": r"w[io]n\w*|gold\w*|silver|victory",
    "chalice": r"w[io]n\w*|gold\w*|silver|victory",
    "sun/sunset": r"@ (?:\w+ ){0,4}(?:sets?|setting|sinks?|sinking|(?:goes|going|gone|went) down|dips?|low|slips|"
    r"sliding|slides|drops|dropping|disappear\w*|melts|vanish\w*)\b|\b(?:setting|sinking|low|dying|"
    r"late|fading|descending|last of the|evening) @",
    "jaw": r"drop\w*|hang\w*|slack|open|f[ae]ll\w*|gap\w*",
    **dict.fromkeys(
        "blank neutral vacant unreadable unmoved indifferent inscrutable unchanging impassive".split(),
        rf"@ (?:\w+ )?(?:{_FACE})|"
        rf"(?:{_FACE}|he|she|they|somebody|someone) (?:is|are|looks|stays|remains|"
        r"keeps)(?: \w+)? @|"
        r"\bit (?:is|stays|remains) (?:\w+ )?@|face .*@|expression .*@|: @|^@",
    ),
    **dict.fromkeys(
        ("says nothing", "tells nothing", "tells us nothing", "straight line", "flat line"),
        r"face|"
        r"mouth|lips|expression|features|eyes|look",
    ),
    "day": r"\b(?:sunny|rainy|snowy|foggy|stormy|cloudy|clear|bright|gray|misty|overcast|wintry|cloudless|gloomy|"
    r"wet|middle of the|light of|by|hot|warm|cold|summer|winter|fine|dull|drizzly|windy|cool|blazing|chilly|"
    r"nice|lovely|beautiful|mild|spring|autumn|hazy) @|^@ (?:time )?[,.]|\bis @\b",
    "clear": r"\bsk(?:y|ies)\b|@ (?:night|evening|weather|morning|day|afternoon|sunset|blue|air|conditions)|weather|"
    r"\b(?:completely|perfectly) @",
    "waves": r"\b(?:the|gentle|small|blue|foamy|by|rolling|white|lapping|some|sea|of|ocean|soft|calm|foaming|big) @|"
    r"@ (?:roll|crash|lap|break|come|wash|lapping|crashing|rolling|breaking|rush)|^@ [,.]|and @$|"
    r"[,:] @ [,.]",
    "swing": _NOUN + r"(?! of)",
    "box/gift": r"wrap\w*|ribbon|\bbow\b|gift|present|surprise|\btied|paper|purple|red @|lid",
    "sky/clear": r"@ (?:is|looks|above|overhead|stays) (?:\w+ ){0,3}blue(?! with)|\bunder a blue @",
    "sky/sunset": r"\b(?:orange|red|pink|crimson|golden|purple|fiery|burning|flaming|glowing) (?:\w+ )?@|"
    r"@ (?:\w+ ){1,3}(?:orange|red|pink|crimson|gold|golden|purple|ablaze)\b",
    "knees": r"\b(?:bent|bends|bending|bend|drawn up|tucked|hugg\w+|hugs|pulled|pulls|clasp\w*) (?:\w+ ){0,2}@|"
    r"@ (?:are |up |deeply )*(?:bent|drawn|tucked|pulled|to (?:his|her|their) (?:chest|chin))",
    **dict.fromkeys(
        ("ghostly", "spectral"),
        r"@ (?:\w+ ){0,2}(?:figure|shape|form|presence|being|visitor|"
        r"silhouette|creature|thing|white)\b",
    ),
    "ring/lifebuoy": r"orange|rescue|life|float|drown|rubber|red and white|white and red",
    "colors": r"\b(?:rich|bold|strong|loud|intense|lively|striking|brilliant|glowing|saturated|riotous|powerful|"
    r"luminous|fierce|radiant|splendid|fresh|cheerful|dazzling|vivid|bright|vibrant|lush) (?:(?:, |"
    r"and )(?!its|the|their)\w+ )?@|@ (?:of the \w+ )?(?:are|is|be|could|look|seem|hardly) (?:\w+ly |so |"
    r"very |more |be )*(?:rich|bold|strong|intense|lively|brilliant|luminous)\b",
    "tear": r"\b(?:a|one|single|the|big|another|lone) @(?! in)|@ (?:rolls|runs|trickl\w+|slid\w+|falls|on (?:his|"
    r"her))",
    "shower": r"rain|\b(?:heavy|sudden|a|spring|april) @(?! (?:of|curtain))",
    "wood/forest": r"\b(?:in|through|into|across|of|inside|within) (?:the|a|this) (?:\w+ )?@(?! (?:fire|of|chair))",
    "spirit": r"\b(?:a|the|white|pale|evil|restless|floating|wandering|dead) @(?! (?:of|and)\b)",
    "white sheet": r"eyes|holes|float\w*|hover\w*|spook|draped",
    "volume": r"\b(?:a|the|open|thick|bound|old) @",
    "wheels": r"\b(?:two|four) @|^@",
    "cycle": rf"\b{_DET} @(?! of)",
    "auto": _NOUN,
    "package": _THING,
    "page": _THING,
    "paint": r"\b(?:of|thick|wet|oil|visible|in|the|with) @(?! the)",
    "snap": r"\b(?:a|holiday|this|quick) @",
    "fragmented": r"shapes?|picture|image|scene|forms?|composition",
    "fractured": r"shapes?|picture|image|scene|forms?|planes",
    "step": r"\b(?:he|she|they|who|person|man|woman|figure|boy|girl|hiker|walker|one|stranger|someone) (?:\w+ly )?@|"
    r"@ (?:forward|past|over|along|through|across|out|into|onto|around|towards?|away|by)\b|\b(?:brisk|"
    r"slow) @",
    "steps": r"\b(?:he|she|they|who|person|man|woman|figure|boy|girl|hiker|walker|stranger|someone) (?:\w+ly )?@|"
    r"@ (?:forward|past|over|along|through|across|out|into|onto|around|towards?|away|by)\b|\b(?:takes|with|"
    r"taking|brisk|slow|few|long|quick) @",
    **dict.fromkeys(("in the air", "into the air", "above the ground"), _IN_AIR),
    **dict.fromkeys("stool drapes blinds counterpane shoreline".split(), _THING),
    "curled": r"@ (?:\w+ )?(?:in|on|into|up)|\b(?:lies|sits|is|person|figure|someone) @",
    "wheel": r"\btwo @",
    "stars": r"^(?!.*(?:sees @|seeing @|@ in (?:a|the film|his|her)))",
    "hand up": r"(?:hand|one|his|her|a|the|with) @|@|^@",
    "triangles": r"shape|compos|made|built|of @",
    "drenched": r"(?:is|are|man|woman|person|figure|all|everything|he|she|stand\w*|walk\w*|sit\w*) @|@ (?:in rain|by)",
    "traffic": r"^(?!.*@ (?:light|cone|sign))",
    **dict.fromkeys(
        """train bear duck sign map mask ring lock key letter pipe shop stage fish crowd stream glass cap
        shell hammer shield pan fork ball bat bull mouse gun hare pen racket bowl door tower seal crane fan iron ship
        spear trap tank chain hose pump rake drill cage radio label arrow bomb egg float worm ski ticket stamp plate
        tray record camp rifle flag fox gate basket phone broom puzzle kite torch bridge jar paddle net lamb bus plane
        jet scroll coin bowl chick comb mat rug cart bench skate comet target compass roast toast swan hawk flute
        funnel shed candy cocktail monkey ape dog wolf diamond rocket pearl cherry bubble whistle ruler folder console
        counter pilot bark dart grill fry hedge slide spoon spade shovel badger safe watch match hound parrot needle
        sponge brush oar club rattle parade pool hall ax bank feather drum sandwich envelope poster dice hut helm horn
        tent bolt chest""".split(),
        _THING,
    ),
}
# word -> what must not
UNLESS: dict[str, str] = {
    "camera": r"\b(?:look|smil|star|gaz|wav|grin|beam|glar|scowl|pos|turn|eyes|face|gape|stick|peer|frown|"
    r"laugh)\w* (?:\w+ ){0,4}(?:into|at|towards?|to|for) the @(?! (?:he|she|they|that|which|beside|next|"
    r"on|lying|in front)\b)|\b(?:into|facing|faces|before|off|towards?) the @|@ (?:captures|catches|"
    r"caught|zooms|has caught)",
    "rose": r"\b(?:sun|moon|he|she|they|it|smoke|who|voice|voices|slowly|figure|person|man|woman|hackles) @|"
    r"^@ (?:up|from|to)\b|\b(?:wilt\w+|wither\w+|droop\w+|dead|dying|dried) @|@ garden",
    "tears": rf"\b(?:{_VIEWER}) (?:\w+ )?to @|\bto (?:my|our|your|{_VIEWER})\b.* eyes|\bhe @ at|@ (?:through|at|"
    rf"open|up)\b",
    **dict.fromkeys(
        ("smile", "grin", "laugh"),
        rf"\bmak\w+ {_VIEWER} (?:want to )?@|@ to (?:my|our|your|"
        rf"{_VIEWER})\b",
    ),
    "fire": r"@ (?:truck|fighter|engine|hydrant|station)|eyes (?:are |full )?(?:on |of )?@|@ in (?:his|her|their|"
    r"the) eyes",
    "painted": r"@ (?:nails|face|lips|wall|smile|in the face)|face @|\b(?:is|are) @ (?:white|red|blue|green|pink)",
    "abstract": r"@ (?:idea|concept|notion|thought|sense|feeling)",
    "night": r"\b(?:every|all|first|opening|wedding|one|that) @|@ after",
    **dict.fromkeys(("morning", "afternoon"), r"\b(?:this|every|monday|next) @"),
    "grave": rf"@ (?:{_FACE}|mood|matter|news|concern|danger|tone|voice|mistake)\b|\b(?:is|looks|very) @",
    "building": r"@ (?:up|an?|the)\b|\b(?:is|are|tension) @",
    "mountain": r"@ of (?:work|debt|problems|paper)",
    "neutral": r"@ (?:colors?|background|tones?|light|gray|wall|palette|hues?)",
    "gaping": r"@ (?:hole|wound|grave|abyss)",
    "glass": r"@ (?:facade|wall|window|door|front|building|tower)",
    "snake": r"\b(?:path|road|river|line|trail)(?: that| which)? @|\bit @|@ (?:past|through|along|its way|across)",
    "rain": r"sparks @|@ (?:down )?from",
    "sparks": r"fire|flames?|logs?",
    "pouring": r"tears|sweat|light",
    **dict.fromkeys(
        ("contorted", "twisted", "distorted"),
        r"snarl|scowl|smile|rage|anger|fury|envy|tears|grief|sob|"
        r"cry|brow|teeth|weep|sorrow|pain|agony|anguish",
    ),
    "book": r"\bto @",
    "flame": r"\bold @",
    "blaze": r"@ of|sun",
    "storm": r"@ (?:off|out)\b",
    "dawn": r"@ (?:of|on)\b",
    "room": r"@ for|\b(?:no|dining|waiting|elbow|living|sitting|meeting) @",
    "bed": r"@ of\b",
    "peak": r"\bits @|@ (?:moment|time|season|of (?:joy|happiness|despair))",
    "refuse": r"@ to",
    "park": r"\bto @",
    "sign": r"@ (?:of|that)",
    "tongue": r"snake|serpent|fork|its @|@ of flame",
    "pool": r"@ of",
    "waste": r"@ (?:of|an?|the|time)",
    "crowd": r"\bboth @",
    "prize": r"@ possession|@ (?:the|a)\b",
    "sun": r"\bunder the @|\b(?:hid\w*|block\w*|cover\w*|obscur\w*|veil\w*) (?:out )?the @|@ is (?:hidden|covered|"
    r"obscured)",
    "tire": r"@ of|\bnever @",
    "bound": r"@ (?:to|by|up|together|for)\b",
    "stand": r"@ (?:as an? (?:symbol|reminder|testament|contrast|metaphor|sign|witness|proof)|in (?:\w+ )?contrast|"
    r"in the way|to lose|at odds|on end)\b|hair (?:\w+ )?@",
    "branch": r"@ of",
    "ridge": r"nose|brow",
    "summit": r"@ meeting|\b(?:g7|peace) @",
    "stream": r"@ (?:down|of|from)",
    "award": r"\bto @|@ (?:him|her|the)",
    "pace": r"@ of",
    "track": r"@ of",
    "wander": r"(?:eyes?|gaze|mind|thoughts?|attention) (?:\w+ )?@",
    "house": r"\bto @|full @",
    "temple": r"sweat|brow|down (?:his|her|their|the) @",
    "poster": r"@ (?:of|for) an?",
    "tower": r"@ (?:into|above|over)",
    "ring": r"\b(?:clock|alarm|bells?|that|it|phone|every) @|@ of the",
    **dict.fromkeys(
        ("on his knees", "on her knees", "on their knees"), r"laptop|book|\bhands? @|tray|bag|box"
    ),
    "swing": r"\b(?:that|who|which|he|she|it) @",
    **dict.fromkeys(("takes off", "taking off", "took off"), r"@ (?:his|her|their|the|a)\b"),
    "tread": r"@ carefully",
    "page": r"same @",
    "shower": r"sparks|@ of (?:spark|light)",
    "cup": r"@ (?:his|her|their) (?:hands?|ear|chin|face)",
    "stars": r"\b(?:movie|film|pop) @",
    "flag": r"@ (?:down|up)",
    "novel": r"@ (?:idea|approach|way|experience|about it)|\ba @ \w+ing",
    "storms": r"@ (?:out|off|in|into|through|past|away)",
    "dump": r"@ (?:him|her|them|it)\b",
    "litter": r"@ the",
    "beam": r"@ of|\b(?:its|the|light) @(?! (?:smile|face))",
    "volume": r"\b(?:the|speak\w*) @s?$",
    "tide": r"\bturn\w* the @|@ of (?:joy|grief)",
    "surf": r"\bto @",
    "cloud": r"@ (?:of|his|her|the|over)\b|\bto @",
    "desert": r"\bto @|@ (?:him|her|them)\b",
    "curb": r"\bto @|@ (?:his|her|their)",
    "bloom": r"\bin @|\bto @",
    "blossom": r"\bto @|@ into",
    "plant": r"\bto @|@ (?:his|her|an?) |\bpower @|feet @",
    "palm": r"@ of (?:his|her|the)|"
    r"(?:his|her|raised|open|one|a) @ (?:raised|up|out|in|toward)|@ to|sweaty @|hand",
    "shore": r"@ up",
    "winter": r"@ (?:coat|jacket|clothes|boots)",
    "paint": r"\bto @|\bface @",
    "canvas": r"@ (?:bag|shoes|sail|tent|chair)",
    "skip": r"@ (?:a beat|breakfast)|beat @",
    "green": r"@ with envy",
    "mist": r"\beyes @|@ (?:over|up)$|\bin his eyes",
    "misty": r"@ eyed",
    "tunnel": r"@ vision",
    "jump": r"@ (?:to (?:the )?(?:eye|mind|conclusion))",
    "sob": r"@ story",
    "sit": r"@ (?:well|oddly|uneasily|at odds)",
    "walk": r"@ (?:of life|the viewer)|\bto @ (?:away )?from it",
    "fog": r"\bmental @|\bbrain @",
    "cloudy": r"@ (?:eyes|mind|judg\w+|thoughts)",
    "lamp": r"\bstreet @",
    "chair": r"\bto @",
    "bag": r"\bto @|@ of (?:tricks|nerves)",
    "car": r"@ (?:keys?|door|horn)|\bcable @",
    "guitar": r"@ (?:player|case|music|solo)",
    "bicycle": r"@ (?:helmet|lane|path|pump)",
    "clear": r"\b(?:it|this|that) (?:is|becomes) @|@ (?:that|contrast|sign|view|from|how|why|indication)",
    "moon": r"\b(?:over|to) the @ (?:about|with)|\bonce in",
    "window": r"@ (?:of opportunity|into (?:his|her|the soul))|\bshop @",
}
