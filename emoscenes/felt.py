"""What a text says is felt: the emotions it asserts, and whether they go against a label.

Owns the words of feeling. Takes English text, gives label words of `emotions.LABEL_SETS`. Reads the text alone; what
it denies, supposes, asks or offers as a choice is not felt (`assertions`).
"""

import re
from functools import cache

from emoscenes.assertions import Hit, around, assertions, lexicon
from tinyemo.emotions import GROUPS, LABEL_SETS

# label (and others the words may stand for) -> words, "_" within a phrase. "~": an everyday word, which counts only
# where FRAME finds a feeling
WORDS: dict[str, str] = {
    "affection": """affection affectionate affectionately fondness fondly ~fond tenderness tenderly ~tender ~warmth
        adoration adoring adores cherish cherishes cherished dote dotes doting endearment endearing attachment ~caring
        warm_hearted affections affectionateness""",
    "amusement": """amusement amused amusing amuses amuse hilarity hilarious amusedly amusingly ~funny humorous
        ~comical entertained""",
    "anger": """anger angry angrily angered angers angering ~mad hostile hostility indignant indignation angrier
        angriest ire displeasure displeased loses_his_temper loses_her_temper lost_his_temper ~aggression ~aggressive
        anger_filled indignantly crossly""",
    "anger|disgust": "hate hatred hates hated hateful",
    "awe": "awe awed awestruck awe_inspiring awe_struck ~reverence overawed reverent wowed",
    "cheerfulness": """cheerfulness cheerful cheerfully cheery ~cheer gleeful gleefully glee merriment merry merrily
        jolly jovial gaiety cheeriness lightheartedness good_cheer good_humored cheered mirth mirthful jollity carefree
        chirpy perky blithe sunny_mood in_good_spirits jolliness ~festive ~playful ~playfulness lighthearted
        light_hearted""",
    "cheerfulness|zest|excitement|joy": "high_spirits in_high_spirits",
    "cheerfulness|joy": "happiness happy happily happier glad gladness happiest gladdened gladdens gladly",
    "confusion": """confusion confused confusing confusedly bewilderment bewildered bewildering puzzlement puzzled
        puzzling baffled baffling perplexed perplexing perplexity ~uncertainty ~uncertain confuses confuse bewilders
        bewilder perplexes baffles bafflement disoriented disorientation mystified mystifying mystification flummoxed
        nonplussed bemused bemusement confounded befuddled disconcerted ~muddled ~unsure confusingly""",
    "contentment": """contentment contented contentedly at_ease at_peace ~content ~satisfaction ~satisfied ~serenity
        ~serene ~ease ~peaceful ~peace ~tranquil ~tranquility ~calm ~relaxed contentedness calmness ~calmly
        peacefulness ~relaxation ~placid ~restful restfulness ~fulfilled ~fulfillment ~cozy ~coziness ~serenely
        ~peacefully ~gratified""",
    "disappointment": """disappointment disappointed disappointing disappoints disappoint dismay dismayed let_down
        disillusionment disillusioned ~letdown disappointingly disappointments disenchanted disenchantment disheartened
        disheartening crestfallen ~deflated dashed_hopes discouraged discouragement disillusion""",
    "disgust": """disgust disgusted disgusting disgusts revulsion revolted revolting repulsion repulsed repulsive
        repelled loathing loathes nausea nauseated nauseating sickening sickened queasy grossed_out disgustedly
        distaste distasteful repugnance repugnant repellent repels repulses revolts abhorrence abhorrent aversion
        loathe loathsome nauseous nauseates sickens vile ~gross yucky icky off_putting stomach_turning queasiness
        squeamish repulsively revoltingly""",
    "enthrallment": """enthrallment enthralled enthralling fascination fascinated fascinating captivation captivated
        captivating enchantment enchanted mesmerized mesmerizing spellbound ~wonder wonderment enthralls enthrall
        enthrals fascinates captivates enchants mesmerizes entranced entrancing rapt rapture engrossed riveted riveting
        transfixed bewitched hypnotized marvels marveling wonderstruck in_thrall beguiled ~absorbed enchanting
        fascinate""",
    "envy": """envy envies envious enviously jealousy jealous jealously covetousness covetous resentment resentful
        enviousness envying begrudges begrudging covets covet coveting resents resentfully green_with_envy
        jealousies""",
    "exasperation": """exasperation exasperated exasperating frustration frustrated frustrating frustrates annoyance
        annoyed annoying annoys impatience impatient impatiently fed_up exasperates exasperate exasperatedly
        frustrations aggravated aggravation aggravating vexed vexation vexing peeved annoyingly annoy irked irks
        out_of_patience wit_'s_end miffed nettled patience_has_run_out""",
    "irritability|exasperation": "irritated irritation irritating irritates irritate irritatedly",
    "irritability": """irritability irritable grumpiness grumpy grumpily crankiness cranky touchiness ~touchy
        bad_tempered in_a_bad_mood irritably cantankerous crabby crotchety grouchy grouchiness irascible irascibility
        testy testiness short_tempered ill_tempered ill_humored tetchy bad_mood foul_mood bad_temper grump crabbiness
        petulant petulance foul_tempered""",
    "excitement": """excitement excited excitedly exciting excites thrill thrilled thrilling thrills exhilaration
        exhilarated exhilarating excite exhilarates thrillingly ~electrified""",
    "fear": """fear fears feared fearful fearfully fearing fearfulness afraid scared scary scares frightened
        frightening frightens spooky creepy eerie panic panicked panicking freaked_out frighteningly frighten alarmed
        scare scaring scarily spooked panicky panics intimidated intimidating fearsome daunted phobia spookiness
        eeriness creeped_out""",
    "gratitude": """gratitude grateful gratefully gratefulness thankfulness thankful thankfully ~appreciation
        ~appreciative appreciates appreciate indebted beholden heartfelt_thanks ~thanks appreciatively""",
    "horror": """horror horrors horrified horrifying horrifies horrific terror terrified terrifying terrifies dread
        dreads dreadful fright petrified horrify terrify terrors terrorized aghast dreading dreaded dreadfully
        blood_curdling hair_raising nightmarish petrifying panic_stricken scared_stiff terror_stricken horror_stricken
        horror_struck ~ghastly horrifyingly terrifyingly ~horrible appalled scared_to_death""",
    "joy": """joy joyful joyfully joyous joyously delight delighted delightful elation elated bliss blissful jubilant
        jubilation euphoria euphoric overjoyed on_cloud_nine over_the_moon joys joyousness joyfulness delights
        delightedly ecstatic ecstasy ecstatically rejoices rejoicing rejoice exultant exults exultation jubilantly
        euphorically in_seventh_heaven walking_on_air""",
    "love": """love loving lovingly ~loved in_love ~loves lovesick adoringly besotted smitten infatuated infatuation
        ~romantic ~romance enamored amorous ~beloved""",
    "lust": """lust lustful lustfully lusting desire desires ~desired passion passionate passionately craving ~longing
        lusts lustfulness sensual sensuality erotic eroticism ~seductive seduction ~aroused arousal carnal sexual
        lecherous cravings craves desirous""",
    "neglect": """neglect ~neglected loneliness lonely lonesome ~abandonment ~abandoned ~isolation ~isolated forsaken
        unloved left_alone forlorn forlornly left_out ~unwanted ~rejected ~rejection alienated alienation cast_aside
        uncared_for friendless feels_alone feeling_alone feels_forgotten feels_ignored feels_unwanted feels_abandoned
        feel_forgotten lonelier ~solitude feeling_forgotten""",
    "nervousness": """nervousness nervous nervously anxiety anxious anxiously worry worried worries worrying unease
        uneasy uneasily uneasiness ill_at_ease apprehension apprehensive jittery on_edge ~tense worriedly anxieties
        apprehensively apprehensions jitters jumpy jumpiness edgy edginess ~tension ~tensely tenseness ~stressed
        ~stress trepidation foreboding unsettled unsettling unnerved unnerving agitated agitation ~restless
        ~restlessness fretful fretting frets disquiet disquieting ~concerned ~concern fidgety antsy ~suspense ~wary
        wariness nerves nervy""",
    "optimism": """optimism optimistic optimistically ~hope hopeful hopefulness ~confidence ~confident optimist
        confidently ~encouraged ~encouragement looking_forward positive_outlook bright_outlook sanguine hopes_are_high
        full_of_promise""",
    "pride": """pride proud proudly triumph triumphant triumphantly ~dignity ~accomplishment ~accomplished prides
        prideful ~smug ~smugness victorious victoriously ~dignified ~achievement self_esteem proudest ~honored ~glory
        triumphs""",
    "rage": """rage rages enraged fury furious furiously wrath wrathful outrage outraged livid irate infuriated
        infuriating seething raging furor infuriates incensed enrages apoplectic seethes seethe fuming ~fumes
        boiling_with_anger hopping_mad berserk outrages furies boils_with""",
    "relief": """relief relieved reassurance reassured reassuring ~comfort ~comforted ~respite relieves relieving
        reassures ~soothed ~soothing ~consoled ~consolation ~comforting unburdened ~reprieve ~solace
        weight_off_his_shoulders weight_off_her_shoulders""",
    "sadness": """sadness sad sadly sadder sadden saddened saddening saddens sorrow sorrowful sorrowfully sorrows
        unhappiness unhappy unhappily melancholy melancholic grief grieving grieves mourning mournful mournfully
        heartbroken heart_broken heartbreak heartbreaking depressed depressing depression dejected dejection saddest
        sorrowing mourns mourn bereaved bereavement grief_stricken grieve grieved wistful wistfulness wistfully
        downhearted downcast despondent despondency despondently doleful dolefully glum glumly heartache heartsick woe
        woeful woefully woebegone ~somber ~bleak ~bleakness lamentation laments lamenting disconsolate inconsolable
        dejectedly depressive melancholia ~desolate ~desolation broken_hearted heavy_heart heavy_hearted ~gloom
        feeling_blue feels_blue brokenhearted low_spirits sad_eyed morose""",
    "sadness|suffering": """misery miserable miserably despair despairing desperation hopelessness hopeless distress
        distressed distressing despairs desperate ~desperately wretchedness despondence""",
    "shame": """shame ashamed shameful shamefully shamefaced guilt guilty embarrassment embarrassed embarrassing
        humiliation humiliated humiliating remorse remorseful embarrasses embarrass ashamedly mortified mortification
        chagrin sheepish sheepishly abashed contrite contrition disgrace disgraced guilt_ridden self_conscious
        humiliates guiltily shames shamefacedly penitent""",
    "suffering": """suffering suffers suffer suffered pain pained painful painfully agony agonized agonizing anguish
        anguished torment tormented ~hurt ~hurting in_pain pains agonies ~tortured ~torture tormenting torments ~hurts
        ~ache ~aching afflicted affliction sufferings""",
    "surprise": """surprise surprised surprises surprising astonishment astonished astonishing amazement amazed shock
        shocked shocking startled startling stunned dumbfounded flabbergasted astonish astonishes amaze amazes ~amazing
        startles startle stuns taken_aback astounded astounding astounds shocks thunderstruck dumbstruck disbelief
        incredulity incredulous incredulously stupefied caught_off_guard gobsmacked bowled_over ~speechless
        stupefaction surprisedly""",
    "sympathy": """sympathy sympathetic sympathetically sympathize sympathizes compassion compassionate pity pities
        pitiful empathy empathetic empathize ~sorry sympathizing sympathies compassionately condolence condolences
        commiseration pitying pitied feels_for i_feel_for empathic empathizes empathizing commiserates
        tender_hearted""",
    "zest|excitement|cheerfulness|optimism|pride|joy": "~energetic ~energy ~lively ~liveliness ~animated high_energy",
    "zest": """zest zestful enthusiasm enthusiastic enthusiastically ~vigor zestfully zesty energized vivacity
        vivacious vitality exuberance exuberant exuberantly gusto verve ~vigorous vim ~spirited ebullient ebullience
        joie_de_vivre pep zest_for_life lust_for_life high_energy""",
    "excitement|zest": "eager eagerness eagerly",
    "optimism|cheerfulness": "upbeat",
    "shame|sadness|disappointment": "regret regretful regrets regretfully",
}
# phrases that feel nothing
EVERYDAY = """pride_of_place pride_flag pride_flags pride_parade relief_map relief_worker relief_workers bas_relief
    in_relief sharp_relief stark_relief surprise_party surprise_visit surprise_gift surprise_guest horror_film
    horror_films horror_movie horror_movies horror_story love_letter love_letters love_song love_songs love_story
    love_seat i_love you_love we_love they_love would_love love_to love_it passion_fruit happy_birthday happy_hour
    happy_to all_the_rage a_shame_that what_a_shame what_a_pity pity_that sadly_, thankfully_, happily_, panic_button
    shock_wave shock_of guilty_pleasure i_'m_afraid afraid_not with_ease glad_to hate_to worry_about no_surprise
    feels_like feel_like stress_ball comfort_zone comfort_food hope_to hopes_to happy_ending regret_to fears_nothing
    fear_nothing nothing_to_fear animated_film energy_drink pain_killer proud_owner love_at_first_sight peace_sign
    no_worries love_nest fury_road funny_bone thanks_to"""

# what stands about an everyday word (@) when it speaks of feeling
_LEAD = (
    r"(?:an?|one|the|of|in|by|some|pure|deep|great|such|so|very|quite|rather|simply|almost|more|most|genuine|"
    r"quiet|strong|his|her|their|and|with|left|being|\w+ly|too|all|this)"
)
FRAME = re.compile(
    r"\b(?:feel\w*|felt|evok\w+|emotions?|mood|atmosphere|express\w*|convey\w*|fill\w* (?:\w+ ){0,2}with|"
    r"full of|overcome with|radiat\w+|inspir\w+|stir\w*|suggests?|speaks? of|tears of|smiles? (?:of|with)|look\w*|"
    r"seems?|appears?|is|are|was|were|be|being|'s|makes? (?:\w+ ){1,2}|exud\w+|elicit\w*|arous\w+|instil\w*|"
    r"provok\w+|trigger\w*|communicat\w+|reflect\w*|reveal\w*|betray\w*|experienc\w+|emanat\w+|leaves? (?:\w+ ){1,2}|"
    r"(?:sense|hint|air|touch|note|pang|tone|surge|burst|flash|picture|moment|state|mix|mixture|glimmer|display|"
    r"image|aura|expression|flood|glow|spark|look|kind|message|portrait|scene) of)"
    rf"(?: {_LEAD})* @|^(?:{_LEAD} )*@ (?:fills|floods|radiates|hangs|washes|wells)\b|"
    r"@ (?:is (?:felt|evoked|conveyed|written)|smile|expression|grin|face|mood|atmosphere|feeling)\b|\bhow @|"
    r"\bsomething @ about"
)

# what feels nothing itself: a word for a state says nothing of the person where it is said of such a thing or of others
_THINGS = (
    "(?:"
    + "|".join(
        r"""skies sky sun moon stars? clouds? rain snow fog storms? thunder\w* lightning wind
    weather seas? ocean waves fire flames? blaze bonfire campfire beach streets? road park garden desert dunes forest
    woods mountains? peaks? graveyard cemetery graves? dump landfill city office bedroom room bed trees? flowers?
    plants? blossoms? rose sunflower petals balloons? gift present trophy cup teacup mug clock lamp chair guitar car
    bike bicycle camera book umbrella backpack bag bin can lifebuoy heart firework fireworks snake serpent ghost
    phantom colors? hues light music song tune melody neighbors? rivals? boss crowd mob mother father parents friends?
    colleagues wife husband mourners fans""".split()
    )
    + ")"
)
_OF_A_THING = re.compile(
    r"^(?!.*\b(?:feels?|evok\w+) (?:\w+ ){0,2}@).*(?:@ (?:looking )?"
    rf"(?:(?!(?:of|by|at|in|on|this|that|the|an?|his|her|for|with|from|to|when|about|as) )\w+ )?{_THINGS}\b|"
    rf"(?:^|\b(?<!in )(?<!on )(?<!by )(?<!at )(?<!of )(?<!to )(?<!with )(?<!from )(?:the|a|an) )(?:\w+ )?{_THINGS} "
    r"(?:is|are|looks?|seems?|appears?) (?:\w+ly |so |very |quite )*@|"
    r"@ of the (?:storm|sea|waves|thunder|fire|flames|weather|elements|wind)\b)"
)
_RAGES = re.compile(rf"\b{_THINGS} (?:\w+ )?@")  # storms do
_CAUSES = {
    "scary",
    "spooky",
    "creepy",
    "eerie",
    "repulsive",
    "gross",
    "vile",
    "hilarious",
    "dreadful",
    "fearsome",
    "painful",
    "repugnant",
    "repellent",
    "loathsome",
    "abhorrent",
    "yucky",
    "nightmarish",
    "horrific",
    "delightful",
}

# the Parrott labels under coarser ones; in Parrott's own tree love is made of these two
_GROUPS = {**GROUPS, "unbiasedemo": {"love": ("affection", "lust")}}


def _meanings() -> dict[str, tuple[tuple[str, ...], bool] | str]:
    table = {phrase.replace("_", " "): "" for phrase in EVERYDAY.split()}
    for labels, words in WORDS.items():
        for word in words.split():
            table[word.strip("~").replace("_", " ")] = (
                tuple(labels.split("|")),
                word.startswith("~"),
            )
    return table


_LEXICON = lexicon(_meanings())


def _speaks_of_feeling(tokens: list[str], hit: Hit) -> bool:
    """Whether a word is about somebody's feeling here: an everyday word in a frame, a state not said of a thing."""
    surroundings = around(tokens, hit)
    causes = tokens[hit.end - 1].endswith("ing") or tokens[hit.start] in _CAUSES
    rages = hit.meaning[0] == ("rage",)
    return bool(
        (not hit.meaning[1] or FRAME.search(surroundings))
        and (causes and not rages or not _OF_A_THING.search(surroundings))
        and not (rages and _RAGES.search(surroundings))
    )


def _named(text: str) -> list[tuple[str, ...]]:
    """For each word of feeling that the text asserts its label, and others it may stand for."""
    tokens, hits = assertions(text, _LEXICON)
    return [hit.meaning[0] for hit in hits if _speaks_of_feeling(tokens, hit)]


def felt(text: str) -> frozenset[str]:
    """The labels (of any of `emotions.LABEL_SETS`) whose words the text says are felt or evoked."""
    return frozenset(labels[0] for labels in _named(text))


@cache
def _akin(one: str, other: str) -> bool:
    """Whether two labels can both be true: the same, coarser or finer, or coarse words of two sets that overlap."""
    fine, fine_too = (
        {label for groups in _GROUPS.values() for label in groups.get(word, ())}
        for word in (one, other)
    )
    rivals = any(one in labels and other in labels for labels in LABEL_SETS.values())
    return (
        one == other
        or other in fine
        or one in fine_too
        or (not rivals and not fine.isdisjoint(fine_too))
    )


def contradictions(text: str, label: str) -> frozenset[str]:
    """The labels the text names as felt that are neither the label nor a coarser or finer word for it."""
    if not any(label in labels for labels in LABEL_SETS.values()):
        raise ValueError(f"unknown label {label!r}: expected a word of {', '.join(LABEL_SETS)}")
    return frozenset(
        named[0] for named in _named(text) if not any(_akin(label, word) for word in named)
    )


def contradicts(text: str, label: str) -> bool:
    """Whether the text names as felt an emotion other than the label. ValueError: not a label."""
    return bool(contradictions(text, label))
