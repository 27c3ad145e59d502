# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""English words for the attributes."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.captions.words import Words

NOUNS = ("face", "head", "portrait", "person")  # which say nothing
ADVERBS = {
    "slightly": ("slightly", "a bit", "a little", "somewhat"),
    "very": ("very", "really", "extremely", "so"),
}
COMPARATIVES = {
    "angry": "angrier",
    "big": "bigger",
    "bright": "brighter",
    "broad": "broader",
    "bushy": "bushier",
    "calm": "calmer",
    "chubby": "chubbier",
    "curly": "curlier",
    "dark": "darker",
    "fair": "fairer",
    "flat": "flatter",
    "full": "fuller",
    "gentle": "gentler",
    "grey": "greyer",
    "happy": "happier",
    "large": "larger",
    "light": "lighter",
    "long": "longer",
    "mad": "madder",
    "narrow": "narrower",
    "old": "older",
    "pale": "paler",
    "plump": "plumper",
    "red": "redder",
    "round": "rounder",
    "sad": "sadder",
    "short": "shorter",
    "sleepy": "sleepier",
    "slim": "slimmer",
    "small": "smaller",
    "smooth": "smoother",
    "straight": "straighter",
    "thick": "thicker",
    "thin": "thinner",
    "tiny": "tinier",
    "wide": "wider",
    "young": "younger",
}
UNGRADED = ("smile",)  # adjectives that have no degrees

WORDS = {
    "sad": Words(
        ("sad", "unhappy", "gloomy", "frowning", "sorrowful", "miserable"),
        phrases=("a sad look", "a frown", "a sad expression", "downturned lips"),
        slightly=("a slight frown",),
        very=("a deep frown",),
        more=("more of a frown",),
        less=("less of a frown",),
        absent=("no frown",),
    ),
    "happy": Words(
        ("happy", "smiling", "cheerful", "joyful", "glad", "smile"),
        phrases=("a smile", "a happy expression", "a cheerful look", "a smiling mouth"),
        slightly=("a slight smile", "a faint smile", "a hint of a smile"),
        very=("a big smile", "a broad smile", "a wide smile"),
        more=("more of a smile", "a bigger smile"),
        less=("less of a smile", "a smaller smile"),
        absent=("no smile",),
    ),
    "grinning": Words(("grinning", "beaming"), phrases=("a grin", "a toothy smile", "a big grin")),
    "serious": Words(
        ("serious", "expressionless", "emotionless", "earnest"),
        phrases=("a neutral expression", "a straight face", "a serious look", "a poker face"),
    ),
    "gentle": Words(
        ("gentle", "calm", "mild", "relaxed", "peaceful", "kind"),
        phrases=("a calm look", "a gentle look", "relaxed brows", "a soft expression"),
    ),
    "angry": Words(
        ("angry", "mad", "furious", "annoyed", "irritated", "enraged"),
        phrases=("an angry look", "furrowed brows", "lowered brows", "an angry expression"),
        very=("a furious look",),
    ),
    "sleepy": Words(
        ("sleepy", "tired", "drowsy", "exhausted", "weary"),
        phrases=("half-closed eyes", "droopy eyelids", "tired eyes", "sleepy eyes"),
    ),
    "surprised": Words(
        ("surprised", "astonished", "amazed", "shocked", "startled"),
        phrases=("a surprised look", "wide-open eyes", "raised eyebrows", "a look of surprise"),
    ),
    "worried": Words(("worried", "anxious", "concerned", "troubled"), phrases=("a worried look",)),
    "scared": Words(("scared", "frightened", "afraid", "fearful", "horrified"), phrases=("a scared look",)),
    "grumpy": Words(("grumpy", "sullen", "scowling", "bad-tempered"), phrases=("a scowl",)),
    "shouting": Words(("shouting", "yelling", "screaming")),
    "laughing": Words(("laughing",), phrases=("a laugh", "a hearty laugh")),
    "excited": Words(("excited", "thrilled", "delighted"), phrases=("an excited look",)),
    "bored": Words(("bored", "uninterested"), phrases=("a bored look",)),
    "closed mouth": Words(
        phrases=("a closed mouth", "closed lips", "the mouth closed", "the mouth shut"),
        parts={"mouth": ("closed", "shut")},
    ),
    "open mouth": Words(
        ("open-mouthed", "gaping"),
        phrases=("an open mouth", "the mouth open", "parted lips"),
        parts={"mouth": ("open",)},
        slightly=("a slightly open mouth",),
        very=("a wide open mouth", "the mouth wide open"),
        more=("a more open mouth",),
        less=("a less open mouth",),
    ),
    "pressed lips": Words(("tight-lipped",), phrases=("pressed lips", "tight lips", "lips pressed together")),
    "short hair": Words(
        ("short-haired",), parts={"hair": ("short",)}, phrases=("a short haircut", "a short hairstyle")
    ),
    "long hair": Words(
        ("long-haired",), parts={"hair": ("long",)}, phrases=("a long hairstyle", "long locks")
    ),
    "cropped hair": Words(
        parts={"hair": ("cropped", "close-cropped")}, phrases=("a crew cut", "a buzz cut", "a pixie cut")
    ),
    "chin-length hair": Words(
        parts={"hair": ("chin-length", "medium-length", "jaw-length")}, phrases=("hair down to the chin",)
    ),
    "shoulder-length hair": Words(
        parts={"hair": ("shoulder-length",)},
        phrases=("hair down to the shoulders", "hair touching the shoulders"),
    ),
    "hair below the shoulders": Words(
        phrases=(
            "hair below the shoulders",
            "hair falling over the shoulders",
            "flowing hair",
            "waist-length hair",
        )
    ),
    "straight hair": Words(("straight-haired",), parts={"hair": ("straight", "sleek", "smooth")}),
    "curly hair": Words(
        ("curly", "curly-haired"),
        parts={"hair": ("curly", "curl", "frizzy", "curled")},
        phrases=("curls", "ringlets", "tight curls"),
        slightly=("loose curls",),
        more=("more curls",),
        less=("fewer curls",),
        absent=("no curls",),
    ),
    "wavy hair": Words(parts={"hair": ("wavy",)}, phrases=("waves in the hair", "soft waves")),
    "flat hair": Words(parts={"hair": ("flat", "thin", "fine")}, phrases=("hair without volume",)),
    "full hair": Words(
        parts={"hair": ("full", "thick", "voluminous", "bushy")},
        phrases=("a full head of hair", "big hair"),
        more=("more volume in the hair",),
    ),
    "swept-back hair": Words(
        parts={"hair": ("swept-back", "slicked-back")},
        phrases=("a high forehead", "hair combed back", "a bare forehead"),
    ),
    "bangs": Words(
        phrases=("bangs", "a fringe", "full bangs", "a straight fringe", "hair over the forehead"),
        parts={"hair": ("bangs",)},
        very=("long bangs",),
        more=("more bangs", "longer bangs"),
        less=("fewer bangs", "shorter bangs"),
        absent=("no bangs",),
    ),
    "parted hair": Words(phrases=("parted hair", "a parting", "a side parting", "a parting in the hair")),
    "side-swept bangs": Words(phrases=("side-swept bangs", "a swept fringe", "a side fringe")),
    "bob cut": Words(
        phrases=("a bob", "a bob cut", "bob-cut hair", "a bob-cut hairstyle", "bobbed hair", "a bobcut"),
        parts={"hair": ("bob-cut",)},
    ),
    "bowl cut": Words(phrases=("a bowl cut", "bowl-cut hair", "a bowl haircut", "a bowlcut")),
    "afro": Words(
        phrases=("an afro", "afro hair", "an afro hairstyle", "a curly afro"), parts={"hair": ("afro",)}
    ),
    "black hair": Words(("black-haired",), parts={"hair": ("black", "jet-black", "raven")}),
    "dark hair": Words(("dark-haired",), parts={"hair": ("dark",)}),
    "dark brown hair": Words(parts={"hair": ("dark brown", "deep brown")}),
    "brown hair": Words(
        ("brown-haired", "brunette"), parts={"hair": ("brown", "chestnut", "brunette")}, nouns=("brunette",)
    ),
    "light brown hair": Words(parts={"hair": ("light brown", "caramel")}),
    "fair hair": Words(("fair-haired",), parts={"hair": ("fair", "light")}),
    "blond hair": Words(
        ("blond", "blonde", "blond-haired"),
        ("blonde",),
        parts={"hair": ("blond", "blonde", "gold", "golden", "yellow")},
    ),
    "red hair": Words(("red-haired", "redhead"), ("redhead",), parts={"hair": ("red", "copper")}),
    "ginger hair": Words(("ginger",), parts={"hair": ("ginger", "orange")}),
    "auburn hair": Words(parts={"hair": ("auburn", "mahogany", "reddish-brown")}),
    "ash hair": Words(parts={"hair": ("ash", "ashen", "mousy")}),
    "grey hair": Words(
        ("grey-haired", "gray-haired"),
        parts={"hair": ("grey", "gray", "silver", "greying")},
        slightly=("some grey hair", "a few grey hairs"),
        more=("more grey hair",),
        less=("less grey hair",),
        absent=("no grey hair",),
    ),
    "white hair": Words(("white-haired",), parts={"hair": ("white", "snow-white")}),
    "purple hair": Words(("purple-haired",), parts={"hair": ("purple", "violet", "lilac")}),
    "pink hair": Words(("pink-haired",), parts={"hair": ("pink", "magenta", "rose-coloured")}),
    "teal hair": Words(parts={"hair": ("teal", "turquoise", "green", "cyan")}),
    "blue hair": Words(("blue-haired",), parts={"hair": ("blue",)}),
    "dyed hair": Words(
        parts={"hair": ("dyed", "colourful", "colorful", "brightly coloured", "brightly colored")}
    ),
    "natural hair": Words(parts={"hair": ("natural", "undyed")}, phrases=("a natural hair colour",)),
    "glasses": Words(
        ("bespectacled",),
        worn=("glasses", "eyeglasses", "spectacles", "a pair of glasses", "specs"),
        absent=("no glasses", "bare eyes", "glasses taken off"),
    ),
    "sunglasses": Words(
        worn=("sunglasses", "dark glasses", "shades", "tinted glasses", "a pair of sunglasses"),
        absent=("no sunglasses",),
    ),
    "clear glasses": Words(worn=("clear glasses", "reading glasses", "clear lenses")),
    "bold glasses": Words(
        worn=(
            "thick-rimmed glasses",
            "black-rimmed glasses",
            "bold glasses",
            "thick black glasses",
            "hipster glasses",
            "horn-rimmed glasses",
        )
    ),
    "thin glasses": Words(
        worn=("thin-rimmed glasses", "wire-rimmed glasses", "thin glasses", "delicate glasses")
    ),
    "clean-shaven": Words(
        ("clean-shaven", "shaven", "beardless", "smooth-chinned"),
        phrases=("a clean chin", "a smooth chin", "a shaved chin"),
    ),
    "stubble": Words(
        ("unshaven", "stubbly"),
        phrases=(
            "stubble",
            "a five o'clock shadow",
            "designer stubble",
            "a light beard",
            "a three-day beard",
        ),
    ),
    "beard": Words(
        ("bearded",),
        phrases=("a beard", "facial hair", "whiskers"),
        slightly=("a short beard", "a thin beard"),
        very=("a thick beard", "a bushy beard"),
        more=("a thicker beard", "more beard", "a fuller beard", "more facial hair"),
        less=("a thinner beard", "less beard", "a smaller beard", "less facial hair"),
        absent=("no beard", "the beard shaved off"),
    ),
    "full beard": Words(
        ("heavily bearded",), phrases=("a full beard", "a long beard", "a heavy beard", "a lumberjack beard")
    ),
    "pale lips": Words(
        ("pale-lipped",), parts={"lips": ("pale", "bare", "colourless")}, phrases=("lips without lipstick",)
    ),
    "lipstick": Words(
        parts={"lips": ("red", "painted", "scarlet")},
        phrases=("lipstick", "red lipstick"),
        slightly=("a touch of lipstick",),
        very=("bright red lipstick", "bold lipstick"),
        more=("more lipstick", "redder lipstick"),
        less=("less lipstick",),
        absent=("no lipstick",),
    ),
    "makeup": Words(
        ("made-up",), phrases=("makeup", "make-up", "make up"), absent=("no makeup", "no make-up")
    ),
    "long lashes": Words(phrases=("long lashes", "long eyelashes", "eyeliner", "mascara", "eye shadow")),
    "earrings": Words(worn=("earrings", "pearl earrings", "pearls"), absent=("no earrings",)),
    "man": Words(
        ("male", "masculine", "manly"),
        ("man", "guy", "gentleman", "male", "bloke"),
        phrases=("a square jaw", "masculine features"),
    ),
    "woman": Words(
        ("female", "feminine", "womanly", "ladylike"),
        ("woman", "lady", "female"),
        phrases=("feminine features",),
    ),
    "young": Words(("young", "youthful", "fresh-faced"), phrases=("a youthful look", "young skin")),
    "old": Words(("old", "aged", "ageing", "senior"), phrases=("an old face",)),
    "child": Words(
        ("childlike", "childish"), ("child", "kid", "youngster"), phrases=("a baby face", "round cheeks")
    ),
    "teenager": Words(("teenage", "adolescent"), ("teenager", "teen", "youth")),
    "adult": Words(("adult", "grown-up"), ("adult",)),
    "middle-aged": Words(("middle-aged", "mature")),
    "elderly": Words(("elderly", "wrinkled"), ("senior citizen", "pensioner"), phrases=("deep wrinkles",)),
    "boy": Words(("boyish",), ("boy", "schoolboy", "lad", "little boy", "young man")),
    "girl": Words(("girlish", "girly"), ("girl", "schoolgirl", "little girl", "young woman", "young lady")),
    "grandfather": Words((), ("grandfather", "grandpa", "old man", "elderly man")),
    "grandmother": Words((), ("grandmother", "grandma", "granny", "old woman", "old lady", "elderly woman")),
    "wrinkles": Words(
        (),
        phrases=("wrinkles", "lines in the face", "bags under the eyes", "crow's feet", "wrinkled skin"),
        absent=("no wrinkles",),
    ),
    "freckles": Words(("freckled",), phrases=("freckles", "freckled cheeks"), absent=("no freckles",)),
    "pale skin": Words(
        ("pale", "fair-skinned", "light-skinned", "pale-skinned"),
        parts={"skin": ("pale", "light", "fair", "white")},
        phrases=("a pale complexion",),
    ),
    "dark skin": Words(
        ("dark-skinned", "brown-skinned"),
        parts={"skin": ("dark", "brown", "black")},
        phrases=("a dark complexion",),
    ),
    "tanned skin": Words(
        ("tanned", "suntanned", "sunburnt", "bronzed"),
        parts={"skin": ("tanned", "olive", "tan", "bronze")},
        phrases=("a tan", "a suntan"),
        absent=("no tan",),
    ),
    "narrow face": Words(
        ("slim", "thin", "narrow-faced", "slender", "skinny"), parts={"face": ("narrow", "thin", "slim")}
    ),
    "wide face": Words(
        ("chubby", "round-faced", "plump", "fat", "round"),
        parts={"face": ("wide", "broad", "round", "chubby")},
        phrases=("chubby cheeks",),
    ),
    "short face": Words(parts={"face": ("short", "flat", "squat")}),
    "long face": Words(("long-faced",), parts={"face": ("long", "tall", "elongated", "oblong")}),
    "small eyes": Words(("small-eyed",), parts={"eyes": ("small", "tiny", "little", "beady")}),
    "big eyes": Words(("big-eyed",), parts={"eyes": ("big", "large", "huge")}),
    "close-set eyes": Words(
        parts={"eyes": ("close-set", "close together")}, phrases=("eyes close together",)
    ),
    "wide-set eyes": Words(parts={"eyes": ("wide-set", "far apart")}, phrases=("eyes far apart",)),
    "brown eyes": Words(("brown-eyed",), parts={"eyes": ("brown", "dark brown")}),
    "hazel eyes": Words(("hazel-eyed",), parts={"eyes": ("hazel", "amber")}),
    "green eyes": Words(("green-eyed",), parts={"eyes": ("green",)}),
    "blue eyes": Words(("blue-eyed",), parts={"eyes": ("blue", "light blue", "sky-blue")}),
    "small nose": Words(("small-nosed",), parts={"nose": ("small", "tiny", "little", "button")}),
    "big nose": Words(("big-nosed",), parts={"nose": ("big", "large", "huge")}),
    "thin lips": Words(("thin-lipped",), parts={"lips": ("thin", "narrow")}),
    "full lips": Words(("full-lipped",), parts={"lips": ("full", "thick", "plump", "big")}),
    "thin brows": Words(parts={"eyebrows": ("thin", "plucked"), "brows": ("thin",)}),
    "thick brows": Words(parts={"eyebrows": ("thick", "bushy", "heavy"), "brows": ("thick",)}),
    "blue background": Words(parts={"background": ("blue", "cool", "cold")}, phrases=("a blue wall",)),
    "grey background": Words(parts={"background": ("grey", "gray", "neutral")}, phrases=("a grey wall",)),
    "orange background": Words(
        parts={"background": ("orange", "warm", "coral", "peach", "pink")}, phrases=("an orange wall",)
    ),
    "dark background": Words(parts={"background": ("dark", "dim", "gloomy")}),
    "bright background": Words(parts={"background": ("bright", "light", "pale")}),
    "blue clothes": Words(
        worn=("a blue sweater", "blue clothes", "a navy shirt", "a blue shirt", "a blue top")
    ),
    "teal clothes": Words(worn=("a teal sweater", "teal clothes", "a turquoise shirt")),
    "grey clothes": Words(
        worn=("a grey sweater", "grey clothes", "a gray shirt", "a grey-green sweater", "a sage top")
    ),
    "yellow clothes": Words(
        worn=("a yellow sweater", "yellow clothes", "an orange shirt", "a mustard sweater", "an ochre top")
    ),
    "red clothes": Words(worn=("a red sweater", "red clothes", "a red shirt", "a red top")),
    "turned left": Words(("left-facing",), phrases=("the head turned to the left",)),
    "facing the camera": Words(("front-facing", "frontal"), phrases=("the head straight", "a frontal view")),
    "turned right": Words(("right-facing",), phrases=("the head turned to the right",)),
}
WITHOUT_ARTICLE = ("hair", "lips", "eyes", "eyebrows", "brows", "skin")
