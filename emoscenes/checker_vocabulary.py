"""The words of the judge of texts about drawn scenes: what names an attribute's value, what names nothing of a scene.

Owns data alone: word lists for the attributes of a scene and for light, a list of everyday things that no scene
contains, and what a drawing shows besides. All of it is written from ordinary English; nothing here knows how any text
was made.
"""

# a face without emotion: any of these, then one or none, then what is not shown
BARE = "without|no|devoid of|free of|drained of|empty of|void of|lacking|lacking in|bereft of|shows no|lacks"
OF_WHICH = (
    "|any|all|visible|obvious|clear|much|particular|real|strong|discernible|outward|the slightest|a trace of|"
    "any trace of|a hint of|any hint of|any sign of|trace of|hint of|sign of|a flicker of|any particular"
)
SHOWN = "emotion emotions expression feeling feelings"
HEAPS = "heap pile mound mountain hill tip stack bank"
WASTE = "garbage trash rubbish waste refuse junk scrap litter debris"

# attribute -> "values: words; ...", "_" for a blank. Nouns take their plural by themselves; "~" marks verbs, which
# take all their forms
WORDS = {
    "background": """beach: wave_after_wave beach seaside seashore shore shoreline seafront coast coastline coastal sea
        ocean surf bay waves tide palm sailboat sailing_boat seawater beachfront oceanfront seascape breakers
        water_'s_edge waterline waterside waterfront cove lagoon boardwalk beachside offshore by_the_water salty_air
        palm_tree sandy_shore beachgoer marina; graveyard: crosses the_dead graveyard cemetery churchyard burial_ground
        burial_site burial_place burial_plot tomb tombstone grave gravestone headstone gravesite graveside bare_tree
        dead_tree leafless_tree iron_fence necropolis mausoleum crypt resting_place stone_cross wooden_cross
        memorial_stone the_buried; mountain: glacier mountain peak summit alps alpine mountainside mountaintop
        mountainous mountain_top ridge snow_capped snow_covered_mountain snow_covered_peak snow_covered_summit
        snow_clad_peak snowy_peak snow_on_the_peak highland crag craggy massif mountain_range mountain_pass
        mountain_slope rocky_slope foothill hilltop hillside cliff rock_face snowcap snowcapped snow_topped; dump: dump
        landfill garbage_dump rubbish_dump rubbish_tip scrapyard junkyard scrap_yard junk_yard dumping_ground
        waste_ground tyre tire discarded_tire junk dumpsite dump_site scrap_heap scrapheap scrap_metal waste_tip
        waste_disposal_site; dump|trash can: garbage trash rubbish waste refuse litter; forest: forest woods woodland
        jungle thicket grove rainforest wooded undergrowth glade tree_trunk among_the_trunks copse forested wood
        forest_clearing backwoods woodsy; forest|park|mountain|graveyard|beach: tree pine fir spruce conifer evergreen
        treetop; city street: houses street city road roadside downtown urban town pavement sidewalk buildings
        tall_building skyscraper high_rise street_lamp streetlamp streetlight street_light lamp_post lamppost avenue
        boulevard alley alleyway asphalt tarmac tower_block apartment_block apartment_building office_building
        office_block office_tower block_of_flats blocks_of_flats crosswalk zebra_crossing facade kerb curb cityscape
        metropolis house_front skyline metropolitan inner_city city_center city_light intersection crossroads
        street_corner traffic cobblestone cobbled thoroughfare storefront shopfront shop_front shop_window streetscape
        townscape city_street city_block neighborhood suburb suburban roadway lane_marking multi_storey
        urban_landscape; bedroom: bedroom bed pillow blanket duvet bedside mattress curtain quilt headboard bedspread
        bedsheet bedclothes bedding comforter bedframe bedroom_wall bed_linen bunk bedchamber boudoir sleeping_quarters
        eiderdown pillowcase bedstead drapes counterpane; office: office desk workplace computer monitor filing_cabinet
        file_cabinet workstation cubicle whiteboard window_blind venetian_blind blinds workspace computer_screen
        wall_chart line_chart line_graph bar_chart meeting_room conference_room boardroom corporate paperwork
        office_cubicle; city street|office: building; bedroom|office: room indoors indoor interior; bedroom|office|city
        street: window windowpane windowsill; desert: desert dune sand_dune cactus cacti sahara saguaro arid wasteland
        sandy_waste badlands sea_of_sand; beach|desert: sand sandy; park: park playground swing swing_set lawn garden
        parkland gravel_path green_space park_path; park|mountain: meadow; beach|graveyard|mountain|dump|forest|city
        street|desert|park: outdoors outdoor open_air countryside""",
    "weather": """clear: clear sunny sunshine sunlight sunlit cloudless cloud_free blue_sky blue_skies fine_weather
        fair_weather clear_air good_weather nice_weather beautiful_weather lovely_weather sunny_weather under_the_sun
        in_the_sun sun_is_shining sun_shines sun_is_out bright_sun blazing_sun shining_sun sun_blazes sun_beats_down
        hot_sun warm_sun sun_shone sun_drenched sun_soaked sun_kissed sun_bathed sunbathed sunbeam sunbeams sunrays
        sun_rays sunray sun_ray rays_of_the_sun azure_sky bright_blue_sky pale_blue_sky light_blue_sky sky
        not_a_cloud_in_the_sky without_a_cloud not_a_cloud_in_sight not_a_single_cloud glorious_weather unclouded
        sun_drenched; cloudy: cloudy overcast gray_sky gray_skies clouded cloud_cover leaden_sky cloud_covered
        cloudiness clouded_over sunless gray_day gray_weather dull_weather leaden_skies dull_sky blanket_of_cloud
        layer_of_cloud layer_of_clouds blanket_of_clouds; cloudy|rain|storm: cloud clouds; rain: rain rainy raining
        raining_cats_and_dogs rains raindrop raindrops drizzle drizzling drizzly downpour pouring it_pours rainfall
        cloudburst rain_soaked rain_slicked rain_swept rainwater puddle deluge torrential rained shower soaking_wet
        puddles showers rainstorms drenched rainstorm; rain|storm: wet_weather; snow: snow snowy snowing snows snowfall
        snowflake snowflakes flakes blizzard wintry snowstorm snowed snow_covered snowdrift winter wintertime
        snowdrifts flurries blizzards snow_flake flurry snowbound; fog: fog foggy mist misty haze hazy fogbound foggily
        mist_shrouded fog_shrouded fog_bank low_visibility; storm: storm stormy thunder thunderstorm lightning storms
        tempest thundercloud thunderclouds thunderbolt thunderclap thundery tempestuous tempests squalls gales
        storm_clouds thunderstorms thunderbolts hurricane squall gale storm_cloud bolt_of_lightning windstorm stormed
        storm_tossed electrical_storm""",
    "time": """day: daytime daylight by_day midday noon noonday afternoon morning day in_the_day during_the_day
        mid_morning lunchtime midmorning noontime broad_daylight light_of_day day_lit; sunset: sunset dusk twilight
        sundown sunrise dawn daybreak golden_hour sun orange_sky last_light afterglow gloaming dying_light last_rays
        red_sky close_of_day day_'s_end dying_day day_is_ending day_draws_to day_is_drawing_to sky; day|sunset: sun;
        sunset|night: evening nightfall; night: night nighttime night_time moon moonlit moonlight midnight nocturnal
        stars starry starlit starlight crescent nightly after_dark night_sky small_hours dead_of_night moonbeam
        moonshine star_studded nocturne moonrise starry_sky constellation late_at_night night_scene after_nightfall""",
    "object": """rose: rose rosebud thorn thorny; trophy: cup trophy golden_cup gold_cup silver_cup winner_'s_cup
        championship_cup prize award prize_cup winning_cup loving_cup cup_he_has_won cup_she_has_won cup_they_have_won
        goblet chalice silverware first_prize winners_cup victory_cup challenge_cup championship_trophy; gift: gift
        present parcel package wrapped_box box gift_box giftbox gift_wrap wrapping_paper birthday_present; balloons:
        balloon; lifebuoy: lifebuoy life_ring lifebelt life_belt ring_buoy life_buoy life_saving_ring life_preserver
        lifesaver life_saver rescue_ring rescue_buoy ring safety_ring buoy lifering swimming_ring swim_ring rubber_ring
        flotation_ring floatation_ring flotation_device floatation_device; sunflower: sunflower; firework: firework
        fire_work pyrotechnic sparkler rocket roman_candle catherine_wheel firecracker sparks; teacup: teacup cup mug
        tea saucer tea_cup coffee coffee_cup coffee_mug cup_of_tea cup_of_coffee mug_of_tea mug_of_coffee cuppa
        hot_drink hot_beverage beverage steaming_drink warm_drink; rose|sunflower|wilted flower: flower bouquet blossom
        bloom petal plant floral; wilted flower: petals_on_the_floor petals_on_the_ground ~droop petals_have_fallen
        fallen_petals lost_its_petals loses_its_petals wilted wilting wilt wilts withered withering wither withers limp
        shriveled shrivelled shriveling shriveled_up parched_flower faded_flower dead_flower dying_flower dried_flower
        dried_up_flower dried_out_flower dead_plant dying_plant dead_rose dying_rose fading_flower lifeless_flower
        hangs_its_head hanging_its_head hung_its_head died dying dead sagging drop_its_petals dropping_its_petals
        drops_its_petals shed_its_petals shedding_its_petals; broken heart: heart; alarm clock: clock alarm timepiece
        alarm_clock clock_face clock_hand; bonfire: bonfire campfire camp_fire fire flame blaze burning_log
        burning_wood burning log_fire wood_fire open_fire pyre ember firelight fireside firewood; snake: snake serpent
        viper cobra python adder reptile rattlesnake rattler boa constrictor mamba anaconda asp fang serpentine_body;
        ghost: ghost spectre specter phantom apparition spook wraith ghostly_figure ghostly_shape ghostly_form
        ghostly_presence ghostly_apparition ghostly_being spectral_figure spectral_shape spectral_form
        spectral_presence poltergeist ghoul revenant phantasm spirit white_sheet ghostly spectral; trash can: leftovers
        can trash_can garbage_can bin rubbish_bin dustbin waste_bin trash_bin garbage_bin wastebasket waste_basket
        litter_bin wastepaper_basket ashcan ash_can dumpster wheelie_bin refuse_bin trashcan garbage_pail
        trash_container garbage_container waste_container trash_receptacle waste_receptacle dust_bin rubbish_can
        paper_basket recycling_bin; umbrella: umbrella brolly parasol sunshade; book: volume book novel paperback
        textbook hardback hardcover tome storybook picture_book page open_page; chair: chair armchair seat wooden_seat
        empty_seat rocking_chair wooden_chair; guitar: instrument guitar musical_instrument acoustic_guitar six_string
        fretboard guitar_string; car: car automobile sedan motorcar motor_car hatchback saloon_car suv coupe jalopy
        limousine convertible sports_car headlight windshield windscreen auto; lamp: lamp table_lamp desk_lamp
        lampshade standing_lamp floor_lamp bedside_lamp reading_lamp lamplight bedside_light reading_light desk_light
        light_fixture lamp_shade; backpack: bag backpack rucksack knapsack school_bag schoolbag satchel daypack
        haversack day_pack hiking_bag travel_bag book_bag bookbag; camera: camera photo_camera dslr slr camera_lens
        film_camera; bicycle: bicycle bike pushbike push_bike mountain_bike road_bike city_bike two_wheeler handlebar
        pedal cycle; car|bicycle: vehicle means_of_transport wheels""",
    "expression": """smiling: corners laughter laugh ~smile ~grin ~beam ~laugh ~chuckle ~giggle ~smirk smiley smiler
        ~guffaw ~cackle all_smiles ~snigger ~snicker toothy ear_to_ear upturned_mouth upturned_lips mouth_curves_up
        mouth_curved_up lips_curve_up lips_curved_up mouth_curves_upward mouth_curved_upward lips_curve_upward
        lips_curved_upward mouth_turned_up mouth_turns_up; crying: tears a_tear single_tear tear_rolls tear_runs
        tear_drop teary misty_eyed tearful tearfully teardrop tear_stained tear_streaked tear_filled ~cry ~weep wept
        ~sob sob ~wail ~bawl ~blubber ~sniffle ~snivel ~whimper ~overflow ~brim ~well_up wells_up welling_up
        watery_eyes moist_eyes wet_cheeks wet_eyes tear; scowling: ~furrow ~scowl ~frown ~glare ~glower gritted grits
        gritting clenched clenches bared baring bares grinding grinds brow brows eyebrows gnash gnashes gnashing
        dirty_look black_look daggers ~snarl ~sneer angry_eyes angry_face angry_expression angry_look frowny;
        wide-eyed: round popping large wide_eyed wide huge ~bulge goggling goggle enormous saucer_eyed
        eyes_like_saucers bug_eyed saucers widened widen widens widening wide_eyes round_eyed goggle_eyed pop_eyed
        google_eyed bulging_eyed big giant gigantic eyes_on_stalks; grimacing: green ~grimace tongue scrunched wrinkled
        wrinkles wrinkling crinkled crinkles screwed screws screwing pulling_a_face pulls_a_face pulled_a_face
        making_a_face makes_a_face making_faces pulling_faces pulls_faces makes_faces contorted twisted twists squeezed
        squinched pinched ~wince puckered puckers ~gag ~retch scrunches scrunching distorted wry_face sour
        turns_up_his_nose turns_up_her_nose turning_up_her_nose turning_up_his_nose turns_up_their_nose; open-mouthed:
        o gaping agape ~gape open opens opened opening stands_wide_open stands_open slack_jawed slackjawed ~gasp jaw
        ~scream ~shout ~yell ~yawn rounded_mouth o_shaped_mouth open_mouth open_mouthed ~gawp ~gawk ~shriek ajar parted
        gaping_mouth dropped_jaw jaw_dropped wide_mouthed forgets_to_shut forgets_to_close forgot_to_close round_mouth
        mouth_is_round; neutral: shows_nothing show_nothing betrays_nothing without_emotion without_any_emotion neutral
        blank blankly expressionless expressionlessly deadpan impassive impassively poker_face empty poker_faced
        straight_face straight_faced stony_face stony_faced no_expression without_expression no_particular_expression
        without_any_expression emotionless emotionlessly unreadable vacant vacantly plain_face unmoved no_emotion
        unsmiling gives_nothing_away stone_faced inexpressive no_sign_of_emotion no_trace_of_emotion no_hint_of_emotion
        reveals_nothing giving_nothing_away showing_nothing betraying_nothing revealing_nothing inscrutable stoic
        stoically unexpressive unemotional unemotionally dispassionate stolid indifferent indifferently no_feeling
        no_visible_emotion no_discernible_emotion no_clear_emotion no_obvious_emotion no_strong_emotion
        devoid_of_emotion devoid_of_expression devoid_of_any_emotion devoid_of_any_expression lack_of_expression
        lack_of_emotion lacks_expression lacks_emotion empty_expression empty_stare empty_look empty_face mask_like
        masklike wooden_face flat_expression neither_smiling_nor_frowning neither_happy_nor_sad says_nothing
        tells_nothing tells_us_nothing no_emotions free_of_emotion free_of_expression without_a_trace_of_emotion
        without_feeling unchanging no_reaction straight_line flat_line without_a_hint_of_emotion bland
        without_a_flicker no_flicker blankest indifference impassivity blankness impassiveness
        neither_smiles_nor_frowns neither_frowns_nor_smiles""",
    "action": """standing: ~stand stood upright on_his_feet on_her_feet on_their_feet stock_still rooted_to_the_spot
        erect motionless_on_its_feet to_his_feet to_her_feet to_their_feet on_its_feet bolt_upright; sitting: ~sit sat
        seated stool takes_a_seat has_taken_a_seat took_a_seat taken_a_seat takes_his_seat takes_her_seat ~perch
        cross_legged slouched_on slumped_on sits_down; walking: on_the_move one_foot_before_the_other
        one_foot_in_front_of_the_other takes_a_step takes_another_step taking_a_step taking_a_walk takes_a_walk
        out_for_a_walk going_for_a_walk goes_for_a_walk steps_forward ~tiptoe ~walk ~stroll ~stride strode strides
        mid_stride mid_step midstride ~march ~wander ~pace walker stroller on_foot ~trudge ~amble ~saunter ~plod ~tramp
        ~strut ~shuffle ~roam ~promenade ~ramble ~traipse ~meander ~swagger step steps stepping stepped ~hike footsteps
        ~trek makes_his_way makes_her_way makes_their_way making_his_way making_her_way making_their_way gait ~tread
        ~prowl ~sidle; jumping: springs sprang sprung springing off_the_ground off_the_floor off_the_pavement
        off_the_sand clear_of_the_ground above_the_ground into_the_air ~jump ~leap leapt ~hop midair mid_air airborne
        ~bounce ~bound mid_jump takes_off taking_off took_off mid_leap midleap in_the_air ~skip ~caper ~vault ~frolic
        ~prance ~cavort; waving: ~wave ~raise ~lift holds_up holding_up hand_raised arm_raised hand_up arm_up
        hand_in_greeting hand_is_raised arm_is_raised one_hand_up one_arm_up hand_aloft arm_aloft hand_lifted
        hand_in_the_air arm_in_the_air ~greet hand_held_up hand_is_up arm_is_up hand_held_high hand_held_aloft ~beckon
        raised_arm raised_hand uplifted_hand uplifted_arm upraised; crouching: ~crouch ~squat ~huddle ~hunker ~cower
        hunched ~hunch curled_up curls_up curling_up curled ~kneel knelt doubled_over doubled_up on_his_haunches
        on_its_haunches on_its_knees on_her_haunches on_their_haunches bent_double bends_his_knees knees
        makes_himself_small makes_herself_small make_itself_small making_himself_small making_herself_small
        on_his_knees on_her_knees on_their_knees on_one_knee ~stoop on_all_fours fetal_position foetal_position
        into_a_ball ducked_down ducks_down ducking_down bends_down bending_down bent_down close_to_the_ground
        low_to_the_ground ~cringe knees_bent deep_squat drawn_up_knees folded_up; running: ~run ran ~sprint ~jog;
        lying: ~lying lies_down laying_down ~recline ~sprawl; sleeping: ~sleep asleep slept ~nap ~doze ~snooze;
        dancing: ~dance; swimming: ~swim swam; climbing: ~climb""",
    "style": """photo: photo photos photograph photographs snapshot photographic photographically photography
        photorealistic photoreal photographed like_a_photo like_a_photograph like_an_old_photo like_an_old_photograph
        polaroid selfie snap photo_realistic taken_with_a_camera taken_by_a_camera; painting: painting paintings
        painted paint watercolor water_color brushstroke brushstrokes brush_stroke brushwork painter brush_mark
        brush_marks daubs dabs canvas impasto painterly like_a_painting like_an_oil_painting acrylic gouache
        oil_on_canvas in_oils fresco daub dab impressionist impressionistic artist_'s_brush painter_'s_brush
        brush_strokes brush_work strokes_of_paint; abstract: abstract abstraction geometric geometrically facets facet
        cubist cubism abstract_painting polygons polygon flat_shapes geometrical faceted non_representational
        nonrepresentational non_figurative fragmented abstractly low_poly abstract_art angular_shapes geometry
        simplified_shapes triangles planes_of_color blocks_of_color patches_of_color simple_shapes fractured""",
}
# the same for light; "~" marks adjectives that must be said of the picture
LIGHT = {
    "brightness": """dark: poor_light lighting_is_low lighting_is_dim lighting_is_poor lighting_is_weak low_lighting
        dim_lighting poor_lighting light_is_subdued into_the_dark in_the_dark ~dark ~dim ~murky ~gloomy ~shadowy ~dusky
        ~dingy ~darkened ~unlit ~darkish dimly_lit poorly_lit badly_lit faintly_lit weakly_lit scarcely_lit
        underexposed low_light low_lit dim_light darkness faint_light light_is_low light_is_poor light_is_weak
        light_is_dim light_is_faint light_is_scarce little_light barely_lit under_exposed in_shadow in_shadows
        half_light half_darkness half_dark pitch_black pitch_dark steeped_in_shadow gloom semi_darkness lack_of_light
        weak_light very_little_light low_key murk wrapped_in_shadow darkly_lit dark_tones dark_toned inky ~somber
        ~tenebrous ~lightless; bright: ~bright brightly_lit well_lit overexposed bathed_in_light flooded_with_light
        full_of_light light_filled brilliantly_lit brightness over_exposed brightly_illuminated lit_up_brightly
        ~luminous drenched_in_light awash_with_light filled_with_light plenty_of_light lots_of_light abundant_light
        a_lot_of_light bathed_in_bright_light ~brilliant light_flooded ample_light high_key strong_light
        brightly_lighted strongly_lit flooded_by_light bright_light ~airy ~dazzling""",
    "colorfulness": """pale: ~pale washed_out ~muted desaturated ~faded ~drained ~bleached drained_of_color
        low_saturation black_and_white monochrome monochromatic gray_scale grayscale little_color colorless ~drab ~dull
        hardly_any_color ~pallid ~subdued ~wan pale_colors muted_colors soft_colors sepia nearly_colorless
        lack_of_color lacks_color lacking_in_color almost_no_color scarcely_any_color bleached_out faded_colors ~anemic
        dull_colors subdued_colors leached_of_color devoid_of_color unsaturated lacks_saturation ~grayish
        barely_any_color without_much_color all_but_colorless toned_down color_is_missing color_has_drained
        color_has_gone color_is_gone without_color almost_gray nearly_gray gray_tones color_has_left; colourful:
        ~colorful ~vivid ~vibrant ~saturated rich_colors full_of_color riot_of_color bright_colors bold_colors colors
        strong_colors brightly_colored blaze_of_color rich_in_color ~gaudy multicolored ~lurid vivid_colors
        vibrant_colors intense_colors lively_colors saturated_colors colorfulness vividness vibrancy burst_of_color
        explosion_of_color every_color_of_the_rainbow all_the_colors_of_the_rainbow technicolor ~garish
        highly_saturated vividly_colored richly_colored vibrantly_colored rich_hues vivid_hues bright_hues vibrant_hues
        intensely_colored wealth_of_color splendid_colors boldly_colored glowing_colors high_saturation
        strong_saturation ~flamboyant""",
}
OUTSIDE = """alligator ant anteater antelope ape armadillo baboon badger bat beagle bear beaver bee beetle bird bison
    blackbird boar buffalo bull bulldog bumblebee butterfly camel canary cat caterpillar cattle centipede chameleon
    cheetah chick chicken chihuahua chimpanzee chipmunk cicada clam cockatoo cockroach collie cow coyote crab crane
    crayfish crocodile crow cuckoo deer dinosaur dog dolphin donkey dove dragon dragonfly duck duckling eagle eel
    elephant elk emu falcon ferret finch firefly fish flamingo flea fox frog gazelle gecko gerbil gibbon giraffe goat
    goldfish goose gorilla grasshopper greyhound gull hamster hare hawk hedgehog hen heron hippo hippopotamus hornet
    horse hound hummingbird hyena iguana insect jackal jackdaw jellyfish kangaroo kingfisher kitten koala labrador
    ladybird ladybug lamb leopard lemur lion lizard llama lobster lynx magpie mammoth mongoose monkey moose mosquito
    moth mouse mule newt nightingale octopus orangutan ostrich otter owl ox oyster panda panther parakeet parrot
    partridge peacock pelican penguin pheasant pig pigeon piglet polar_bear pony poodle porcupine porpoise puffin pug
    puma puppy quail rabbit bunny raccoon rat raven reindeer retriever rhino rhinoceros robin rooster cockerel
    salamander scorpion sea_lion seagull sea_gull seahorse seal shark sheep sheepdog shrimp skunk slug snail sparrow
    spaniel spider squid squirrel stallion starfish starling stingray stork swan tadpole terrier tiger toad toucan
    tortoise trout tuna turkey turtle unicorn vulture walrus wasp weasel whale wolf woodpecker worm yak zebra zombie
    spider_web spiderweb cobweb bird_'s_nest nest feather antler kennel birdcage aquarium fishbowl almond apple
    artichoke asparagus avocado bacon bagel baguette banana beef beer beetroot berry biscuit blackberry blueberry bread
    broccoli brownie burger cabbage cake candy caramel carrot cauliflower celery cereal champagne cheese cheesecake
    cherry chili chocolate cider cinnamon coconut cocktail cookie cracker cranberry croissant cucumber cupcake curry
    donut doughnut dumpling egg eggplant french_fries fries fruit garlic ginger gingerbread grape grapefruit gravy
    hamburger hazelnut honey hot_dog hotdog ice_cream jelly juice kebab ketchup kiwi lasagna leek lemon lemonade lentil
    lettuce loaf lollipop mango marshmallow mayonnaise meat meatball melon milk milkshake muffin mushroom mustard
    noodle oatmeal omelette onion orange_juice pancake papaya pasta pastry pea peanut pear pecan pickle pie pineapple
    pizza pomegranate popcorn popsicle porridge potato pretzel pudding pumpkin radish raisin raspberry rice roast salad
    sandwich sausage seafood smoothie soda soup spaghetti spinach steak stew strawberry sushi sweet_potato sweets syrup
    taco toast toffee tomato turnip vegetable vodka waffle walnut watermelon whiskey wine yogurt zucchini
    bottle_of_wine glass_of_wine wine_bottle wine_glass picnic breakfast sugar lunch_box air_conditioner ashtray
    baby_carriage bandage barrel basin basket bathtub bathroom_scale blender bookcase bookshelf bottle bowl broom
    bucket calculator calendar candelabra candle candlestick carpet carton casket cauldron chandelier chess_set
    chopping_board chopsticks clothesline coat_hanger coffee_machine coffee_maker coffee_table coffee_pot coffeepot
    colander comb cooker cooking_pot couch cradle crate crib crystal_ball cupboard curtain_rod cutlery dishwasher
    doorbell doormat dresser dustpan electric_fan fan faucet filing_tray fireplace flask floor_mat fork freezer fridge
    frying_pan funnel glass globe goggles grandfather_clock hairbrush hairdryer hammock hanger heater hourglass
    ironing_board jar jewelry jug kettle kitchen_sink knife ladle lantern laundry laundry_basket light_bulb lightbulb
    matchbox match microwave mirror mop napkin needle nightstand bedside_table ottoman oven pan pencil_case perfume
    pitcher plate platter radiator refrigerator rolling_pin rug saucepan scissors sewing_machine shampoo shower_curtain
    sideboard soap sofa sponge spoon stepladder stove tablecloth table teapot television tv television_set thermometer
    thermos toaster toilet toilet_paper toothbrush toothpaste torch towel tray vacuum_cleaner hoover vase wardrobe
    washbasin washing_machine watering_can wineglass wreath yarn punchbag antenna cassette cell_phone cellphone cd
    computer_mouse dvd drone flashlight gamepad game_console headphones headset ipad iphone joystick keyboard laptop
    loudspeaker megaphone microphone microscope mobile_phone phone power_bank printer projector radio record_player
    remote_control robot router satellite_dish smartphone smartwatch speaker stereo stopwatch tablet tape_recorder
    telephone telescope binoculars typewriter usb_stick video_game walkie_talkie webcam wristwatch pocket_watch watch
    battery cable aircraft airplane plane aeroplane airship ambulance baby_buggy barge biplane blimp boat bulldozer bus
    cab cable_car camper_van canoe caravan carriage cart catamaran chariot combine_harvester cruise_ship digger dinghy
    double_decker excavator ferry fire_engine fire_truck fishing_boat fishing_net forklift galleon glider go_kart
    gondola hang_glider helicopter hot_air_balloon hovercraft jeep jet jet_ski kayak limo locomotive lorry minibus
    moped motor_home motorbike motorboat motorcycle oar paddle paddleboard parachute pickup_truck pirate_ship
    police_car pram pushchair raft railway rickshaw roller_coaster rowboat rowing_boat school_bus scooter segway ship
    sleigh sled sledge snowmobile snowplow spacecraft spaceship space_shuttle spacesuit speedboat starship steamboat
    steamroller streetcar submarine subway surfboard tank tanker taxi toboggan tractor train tram tricycle trolley
    truck tugboat ufo flying_saucer unicycle van wagon warship wheelbarrow wheelchair yacht arrow badminton ball
    baseball baseball_bat basketball basketball_hoop beach_ball bow_and_arrow bowling_ball bowling_pin boxing_glove
    cricket_bat crossbow dart dartboard dumbbell barbell fishing_rod football frisbee goalpost golf_ball golf_club
    hockey_stick hoop hula_hoop ice_rink ice_skate jump_rope skipping_rope kite paraglider ping_pong pogo_stick pom_pom
    puck racket rollerblade roller_skate rugby_ball sailboard skateboard skating_rink ski snowboard soccer_ball
    springboard swimming_pool tennis_ball tennis_racket trampoline treadmill volleyball whistle yoga_mat pool snorkel
    flipper wetsuit climbing_rope life_jacket life_vest paddling_pool seesaw slide merry_go_round sandbox sandpit anvil
    axe blowtorch chainsaw chain chisel crowbar drill fire_extinguisher fishing_line garden_hose glue hacksaw hammer
    hatchet hoe hose hosepipe jackhammer key ladder lawnmower lawn_mower lock magnet magnifying_glass padlock
    paintbrush palette_knife pen pencil crayon pickaxe pitchfork pliers plow pump rake rope ruler sawdust scythe
    screwdriver shovel sickle spade spanner stapler stethoscope syringe tape_measure toolbox tweezers wrench pipe
    cigarette cigar lighter crutch walking_stick stretcher hospital_bed pill test_tube compass accordion bagpipe banjo
    bassoon bongo cello clarinet cymbal double_bass drum drum_kit drumstick flute gong harmonica harp horn lute lyre
    mandolin maraca music_box oboe panpipe piano recorder saxophone sitar synthesizer tambourine trombone trumpet tuba
    ukulele viola violin fiddle xylophone amplifier jukebox sheet_music action_figure board_game building_block
    chessboard chess_piece checkerboard dice doll dollhouse domino jack_in_the_box jigsaw lego marionette pinata
    playing_card puppet puzzle rocking_horse rubber_duck rubik_'s_cube sandcastle snow_globe snowball snowman
    soap_bubble bubble soft_toy spinning_top stuffed_animal stuffed_toy teddy_bear teddy toy toy_car toy_train
    train_set water_gun water_pistol yo_yo pinwheel windmill whirligig anklet apron armor badge bandana baseball_cap
    beanie beard beret boa_scarf bow_tie bracelet briefcase brooch cap crown diadem earring eyeglasses eye_patch
    feather_boa glasses glove handbag handcuffs hat headband headdress headscarf helmet high_heels kimono lipstick
    locket mask medal medallion mitten monocle moustache mustache necklace nose_ring pendant pocketbook purse raincoat
    ring scarf scepter shawl shoelace sombrero spectacles suitcase sunglasses tattoo tiara turban tuxedo wallet
    wedding_ring wedding_dress wig wristband tote_bag shopping_bag shopping_cart shopping_trolley pacifier banner
    billboard blueprint brochure check chalk chalkboard blackboard clipboard diary dictionary diploma document envelope
    flag folder greeting_card leaflet letter magazine map menu newspaper notebook notepad passport paper_plane
    photo_album picture_frame postage_stamp postcard poster price_tag road_sign scroll sign signpost street_sign
    stop_sign sticker ticket treasure_map whiteboard_marker traffic_light traffic_cone traffic_sign fire_hydrant
    parking_meter mailbox letterbox post_box postbox phone_booth telephone_box hydrant bus_stop banknote coin money
    cash piggy_bank treasure treasure_chest diamond jewel safe bayonet bomb bullet cannon catapult dagger dynamite
    grenade gun handgun machine_gun missile musket pistol revolver rifle shield shotgun slingshot spear sword noose
    guillotine torpedo alien angel astronaut clown cowboy cyborg demon dwarf elf fairy genie gnome garden_gnome goblin
    knight leprechaun mannequin mermaid monster mummy ogre pirate santa santa_claus scarecrow skeleton skull troll
    vampire werewolf witch wizard crowd brass_band acrobat abbey airport amphitheater aqueduct arena auditorium bakery
    balcony ballroom barn barracks basement bath_house bathroom bell_tower bookstore bookshop bridge bungalow
    bus_station butcher_'s_shop cabin cafe cafeteria campsite canal car_wash casino castle cathedral cave cellar
    changing_room chapel chateau chimney church cinema circus classroom clinic closet conservatory construction_site
    convent corridor cottage courthouse courtyard dining_room discotheque nightclub doghouse drawbridge dungeon
    elevator embassy escalator factory fairground farm farmhouse ferris_wheel carousel fire_station football_pitch
    footbridge fort fortress fountain gallery garage gas_station petrol_station gate gatehouse gazebo geyser greenhouse
    grocery_store guesthouse gym hallway hangar harbor haunted_house hay_bale haystack hedge helipad hospital
    hot_spring hotel house hut iceberg igloo island jail jetty kindergarten kiosk kitchen laboratory lab lake
    launderette laundromat library lighthouse living_room loft attic log_cabin maze mall shopping_mall mansion
    marketplace market_stall mill minaret monastery monument mosque motel motorway highway freeway museum observatory
    obelisk opera_house orchard oasis pagoda palace pavilion pergola pharmacy pier pond porch prison pyramid quarry
    racetrack railway_station train_station railway_track rainbow ranch reef coral_reef restaurant river riverbank
    runway sauna sawmill school schoolyard school_bench shack shop shopping_center shopping_centre shrine silo
    skatepark skate_park slaughterhouse sphinx stadium staircase stairs stairway stairwell statue steeple stage stream
    creek brook supermarket swamp marsh synagogue tavern temple tennis_court tent terrace theater theme_park
    amusement_park tipi tepee toilet_block tower totem_pole train_track treehouse tree_house tunnel university vineyard
    volcano warehouse waterfall waterwheel wigwam wind_turbine water_tower workshop yurt zoo planetarium rice_field
    wheat_field cornfield field_of_corn vegetable_patch scaffolding pylon bench beanbag bean_bag deckchair deck_chair
    director_'s_chair high_chair throne sunbed sun_lounger stepping_stone door trapdoor armoire piano_stool bar_stool
    bar_counter podium pedestal pulpit tulip daisy lily orchid daffodil dandelion carnation chrysanthemum
    cherry_blossom lotus hyacinth peony hydrangea marigold magnolia ivy bamboo fern bonsai mistletoe christmas_tree
    clover toadstool acorn pinecone pine_cone conch seashell sea_shell shell seaweed driftwood anchor
    message_in_a_bottle barbecue grill easel wishing_well sundial weathervane weathercock windsock wind_chime bird_bath
    birdhouse birdbath bird_feeder beehive honeycomb lightsaber magic_wand wand broomstick potion coffin sarcophagus
    comet meteor asteroid spotlight disco_ball lava candy_cane christmas_decoration bauble ornament easter_egg
    jack_o_lantern figurine sculpture sandbag barrel_organ metronome abacus cage parking_lot milk_bottle tripod chess
    crossword zipper dustcart garbage_truck bin_lorry oil_drum washing_line clothes_peg picket_fence barbed_wire
    mousetrap vending_machine slot_machine cash_register shopping_basket picnic_basket picnic_blanket beach_towel
    beach_umbrella beach_chair confetti streamer garland bunting paper_lantern flowerpot_stand hot_tub jacuzzi
    sitting_room sleeping_bag dining_table football_stadium box tennis football_field sailing_ship church_bell
    ice_cream_cone dog_house coffee_bean suit_of_armor cricket_ball pet fly_swatter noodles"""
# value -> other values and words that its drawing bears
DRAWN = {
    "open-mouthed": ("round",),
    "lifebuoy": ("ring",),
    "beach": ("boat", "ship", "yacht"),
    "office": ("table",),
    "storm": ("rain",),
    "mountain": ("snow",),
}
LEVELS = {
    "brightness": ("dark", "bright"),
    "colorfulness": ("pale", "colourful"),
}  # below and from one half
