# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The lists of texts that text2image_manipulation's mappers were trained on, by its option data_mode.

Each is what a user types, and what CLIP was told; the order is that of the embedding's rows, and of the
classes in training.
"""

TABLE_TEXTS = {  # rows of an embedding (--text_embed_mode nn.embedding)
    "hair": {
        "curly": "Curly hair",
        "wavy": "Wavy hair",
        "long": "Long hair",
        "bobcut": "Bob-cut hairstyle",
        "bangs": "Bangs hair",
    },
    "female": {
        "Elsa": "Elsa from Frozen",
        "Anna": "Anna from Frozen",
        "Emma_Stone": "Emma Stone",
        "Anne_Hathaway": "Anne Hathaway",
        "Scarlett_Johansson": "Scarlett Johansson",
    },
    "male": {
        "Ironman": "Robert Downey Jr., Actor of Iron man",
        "Dicaprio": "Leonardo Wilhelm Dicaprio",
        "Zuckerberg": "Mark Zuckerberg",
        "Tom_Holland": "Tom Holland, Actor of Spiderman",
    },
    "color": {word: f"{word} hair" for word in ("blonde", "pink", "blue", "black")},
    "multi": {
        "Elsa": "Elsa from Frozen",
        "Emma_Watson": "Emma Watson, Actress",
        "wavy": "wavy hair",
        "bangs": "bangs hair",
        "pink": "pink hair",
        "black": "black hair",
    },
}
CLIP_TEXTS = {  # CLIP's features (--text_embed_mode clip_encoder)
    "Disney": {
        "Elsa": "Elsa from Frozen",
        "Anna": "Anna from Frozen",
        "Rapunzel": "Rapunzel, Disney princess",
        "Ariel": "Ariel from the little mermaid, Disney princess",
    },
    "color": {word: f"{word} hair" for word in ("blonde", "red", "pink", "blue", "purple", "black", "brown")},
    "hair": {"wavy": "wavy hair", "bangs": "Bangs hair", "bobcut": "Bob-cut hairstyle", "long": "Long hair"},
}
UNTRAINED = ("brown",)  # what users of CLIP_TEXTS are offered beyond its training
