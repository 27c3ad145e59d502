# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Common attributes in Chinese and English, for CLIPs that were trained to read only one of the two.

It is a table and no translator: a noun and attributes before it, such as "戴眼镜的脸" or
"微笑的、卷发的女人".
"""

from __future__ import annotations

import re

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_IS_HAN = re.compile(f"[{HAN}]")
_BETWEEN = re.compile(r"[的、，,\s]+|和|且|并且")

NOUNS = {
    "脸": "face", "人脸": "face", "面孔": "face", "面部": "face", "头": "head", "人": "person",
    "男人": "man", "女人": "woman", "男孩": "boy", "女孩": "girl", "猫": "cat", "狗": "dog",
    "汽车": "car", "车": "car", "马": "horse", "教堂": "church", "房子": "house", "卧室": "bedroom",
    "卡通": "cartoon",
}  # fmt: skip
ADJECTIVES = {
    "微笑": "smiling", "笑": "smiling", "大笑": "laughing", "高兴": "happy", "开心": "happy",
    "快乐": "happy", "悲伤": "sad", "伤心": "sad", "难过": "sad", "生气": "angry", "愤怒": "angry",
    "惊讶": "surprised", "吃惊": "surprised", "害怕": "afraid", "平静": "calm", "年轻": "young",
    "年老": "old", "老": "old", "老人": "old", "小孩": "child", "孩子": "child", "婴儿": "baby",
    "男人": "male", "男性": "male", "女人": "female", "女性": "female", "男孩": "boy", "女孩": "girl",
    "胖": "chubby", "瘦": "thin", "苍白": "pale", "晒黑": "tanned", "秃头": "bald", "光头": "bald",
    "漂亮": "beautiful", "英俊": "handsome", "可爱": "cute", "疲惫": "tired", "黑色": "black",
    "白色": "white", "红色": "red", "蓝色": "blue", "绿色": "green", "黄色": "yellow", "灰色": "grey",
    "金色": "golden", "新": "new",
}  # fmt: skip
PARTS = {
    "戴眼镜": "glasses", "眼镜": "glasses", "戴墨镜": "sunglasses", "墨镜": "sunglasses",
    "戴帽子": "a hat", "帽子": "a hat", "留着胡子": "a beard", "留胡子": "a beard", "胡子": "a beard",
    "八字胡": "a moustache", "卷发": "curly hair", "直发": "straight hair", "长发": "long hair",
    "短发": "short hair", "金发": "blond hair", "黑发": "black hair", "棕发": "brown hair",
    "红发": "red hair", "白发": "white hair", "灰发": "grey hair", "紫发": "purple hair",
    "蓝发": "blue hair", "粉发": "pink hair", "绿发": "green hair", "刘海": "bangs",
    "马尾": "a ponytail", "莫霍克发型": "a mohawk", "爆炸头": "an afro", "张嘴": "an open mouth",
    "张开嘴": "an open mouth", "大眼睛": "big eyes", "小眼睛": "small eyes", "蓝眼睛": "blue eyes",
    "绿眼睛": "green eyes", "闭着眼睛": "closed eyes", "浓眉": "thick eyebrows", "大鼻子": "a big nose",
    "高鼻梁": "a high nose bridge", "红唇": "red lipstick", "口红": "red lipstick",
    "涂口红": "red lipstick", "化妆": "makeup", "浓妆": "heavy makeup", "耳环": "earrings",
    "雀斑": "freckles", "皱纹": "wrinkles", "深色皮肤": "dark skin", "浅色皮肤": "light skin",
    "双下巴": "a double chin",
}  # fmt: skip
_HAIR = {"blonde": "金发", "gold": "金发", "golden": "金发", "curl": "卷发", "gray": "灰发"}


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in a text."""
    return bool(_IS_HAN.search(text))


def to_english(text: str) -> str | None:
    """A Chinese text of the table in English; None where a part of it is not in the table."""
    rest, noun = text.strip().rstrip("。."), "face"
    for word in sorted(NOUNS, key=len, reverse=True):
        is_alone = rest == word
        if is_alone or rest.endswith("的" + word):
            rest, noun = rest[: -len(word)], NOUNS[word]
            break
    adjectives: list[str] = []
    parts: list[str] = []
    for word in filter(None, _BETWEEN.split(rest)):
        if word in PARTS:
            parts.append(PARTS[word])
        elif word in ADJECTIVES:
            adjectives.append(ADJECTIVES[word])
        else:
            return None
    return " ".join([*adjectives, noun]) + (" with " + " and ".join(parts) if parts else "")


def to_chinese(text: str) -> str | None:
    """An English text of the table in Chinese; None where a part of it is not in the table."""
    front, _, behind = text.lower().strip().rstrip(".").partition(" with ")
    *adjectives, noun = front.split() or [""]
    words = [_first(ADJECTIVES, word) for word in adjectives if word not in ("a", "an", "the")]
    words += [_part(part) for part in behind.split(" and ")] if behind else []
    last = _first(NOUNS, noun)
    known = [word for word in words if word is not None]
    if last is None or len(known) < len(words):
        return None
    return "、".join(known) + ("的" if known else "") + last


def _part(text: str) -> str | None:
    bare = text.strip().removeprefix("a ").removeprefix("an ")
    colour, _, hair = bare.partition(" ")
    if hair == "hair" and colour in _HAIR:
        return _HAIR[colour]
    return next(
        (word for word, part in PARTS.items() if part.removeprefix("a ").removeprefix("an ") == bare), None
    )


def _first(table: dict[str, str], english: str) -> str | None:
    return next((word for word, other in table.items() if other == english), None)
