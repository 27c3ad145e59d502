# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The tables of words as pages of the documents, in English and in Chinese."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.captions.attributes import GROUPS, INF, Attribute
from ppstyleclip.worlds.portrait.captions.sampling import language_of
from ppstyleclip.worlds.portrait.captions.vocabulary import phrases, phrases_of

NAME = "portrait_words.md"
FOLDERS = {"en": "en_US", "zh": "zh_CN"}
COMMAND = "```bash\npython -m ppstyleclip.worlds.portrait.training.words --docs docs\n```"
HEADINGS = {
    "expression": "表情",
    "hair length": "头发长度",
    "hair shape": "发型",
    "hair colour": "头发颜色",
    "things": "眼镜、胡子与妆容",
    "people": "人物",
    "features": "五官与脸型",
    "surroundings": "背景、衣服与朝向",
}
TITLES = {"en": "Words for portraits", "zh": "描述肖像的词语"}
LINKS = {
    "en": f"[简体中文](../zh_CN/{NAME}) | [Contents](../index.md)",
    "zh": f"[English](../en_US/{NAME}) | [目录](../index.md)",
}
COLUMNS = {
    "en": ("true where", "words and phrases", "what denies them"),
    "zh": ("成立的范围", "词语", "说的是它的反面"),
}
INTRODUCTIONS = {
    "en": """\
What the CLIP of the portrait world knows: {count} English words and phrases, and as many ways to put them
together as the grammar has. Each is true of a range of the renderer's factors, in standard deviations, and
false of what lies clearly outside. A range begins where a person sees it in the picture: a beard of 0.4 is
none yet. The tables are in `ppstyleclip/worlds/portrait/captions/english.py`; this page is written from them:

{command}

- **Short prompts** are understood best: "smiling face", "face with long hair", "old woman", "purple hair".
- **Several things** at once: "a happy woman with long curly hair and no glasses". Each moves less
  than alone; what must come for sure is an edit of its own ([several edits](editing.md#several-edits)).
- **Degrees**: "slightly", "a bit", "a little", "somewhat"; "very", "really", "extremely", "so".
- **Comparatives**: "longer hair", "more smiling", "less angry" stand for the direction, from any face.
- **Negations**: "no beard", "without glasses", "not smiling", "not wearing glasses".
- **Templates** such as CLIP's: "a photo of a smiling face."

Degrees and comparatives exist where a range is marked with \u2195. A word that is not here is named in a
warning, with the known words that are spelled most like it. Freckles come with youth, earrings with a
feminine face; asked for alone, they bring little else.
""",
    "zh": """\
肖像世界的 CLIP 认识 {count} 个中文词语，以及语法所允许的各种组合。每个词语在渲染器某些因子的
一段范围内成立（单位是标准差），在明显超出范围时不成立；范围从图片中看得见的地方开始：0.4 的胡子还看不见。
词表在 `ppstyleclip/worlds/portrait/captions/chinese.py`；本页由它写成：

{command}

- **短提示**最容易理解："微笑的脸"、"有长发的脸"、"老奶奶"、"紫色头发"。
- **同时说几件事**："有卷发的、没有戴眼镜的、开心的女人"。每一件都比单独说时变得少；
  一定要出现的，请各作一次编辑（[多个编辑](editing.md#多个编辑)）。
- **程度**："稍微"、"有点"、"略微"、"有一点"；"非常"、"很"、"特别"、"十分"。
- **比较**："更长的头发"、"更开心的脸"、"不那么生气的脸"表示方向，对任何脸都适用。
- **否定**："没有胡子"、"不戴眼镜"、"不微笑"、"没有刘海"。
- **模板**："一张微笑的脸的照片"，也可以放进 CLIP 的英文模板。

范围旁有 \u2195 的词语有程度和比较。这里没有的词语会在警告中列出，并给出写法最相近的已知词语。
雀斑随年轻、耳环随女性的脸出现；单独提出它们，几乎得不到别的。
""",
}


def range_text(attribute: Attribute) -> str:
    """The factors' ranges of an attribute, such as `smile > 0.3`."""
    texts = []
    for name, low, high in attribute.where:
        factor = name.replace("|", "\\|")
        if low == -INF:
            texts.append(f"{factor} < {high:g}")
        else:
            texts.append(f"{factor} > {low:g}" if high == INF else f"{low:g} < {factor} < {high:g}")
    return ", ".join(texts) + " \u2195" * attribute.graded


def page(language: str) -> str:
    """The text of one language's page."""
    words, comma = language_of(language).WORDS, {"en": ", ", "zh": "、"}[language]
    introduction = INTRODUCTIONS[language].format(count=len(phrases(language)), command=COMMAND)
    lines = [f"# {TITLES[language]}", "", LINKS[language], "", introduction]
    nouns = comma.join(language_of(language).NOUNS)
    lines += [{"en": f"Nouns that say nothing: {nouns}.", "zh": f"不含信息的名词：{nouns}。"}[language], ""]
    for group, attributes in GROUPS.items():
        lines += [f"## {group.capitalize() if language == 'en' else HEADINGS[group]}", ""]
        lines += ["| {} | {} | {} |".format(*COLUMNS[language]), "|---|---|---|"]
        for attribute in attributes:
            its = words[attribute.name]
            denials = dict.fromkeys([*its.less, *its.absent])
            said = comma.join(phrase for phrase in phrases_of(its, language) if phrase not in denials)
            lines.append(f"| {range_text(attribute)} | {said} | {comma.join(denials)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
