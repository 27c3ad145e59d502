# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The faults and warnings that a visitor of the page meets most, in Chinese; others stay as they are written.

An error has one text, where it is raised. What is told here is found by that text: its fixed words, with {}
where values stand.
"""

from __future__ import annotations

import re
from functools import cache

# English as it is raised -> Chinese; {0} is the first value.
_CHINESE = {
    # what the page itself refuses
    "there is no such face in this photo; choose one of those that are framed": (
        "照片里没有这张脸，请选一张框出的脸"
    ),
    "this session is of the model '{}' with other weights than '{}' here": (
        "此会话属于模型 '{0}'，其权重与这里的 '{1}' 不同"
    ),
    "the latent of this session does not fit the model; save the session again": (
        "此会话的潜码与模型不符，请重新保存会话"
    ),
    "a field of the page holds no number; load the page again": "页面上某个字段不是数字，请重新载入页面",
    "a text has {} letters at most; write a shorter one": "文字最多 {0} 个字符，请写短一些",
    "the page asks for something unknown; load it again": "页面的请求无法识别，请重新载入页面",
    "this optimisation was made for another model; make it again": "这次优化是为另一个模型做的，请重新优化",
    "the region 'auto' follows a text; choose other regions for a mapper": (
        "“文字所指之处”要有文字，映射器请选其他区域"
    ),
    "this face was not taken out of a photo, so there is none to put it back into": (
        "这张脸不是从照片里取出的，没有照片可以贴回"
    ),
    "there is no photo yet; open one first": "还没有照片，请先打开一张",
    "write what the face should become first": "请先写明要变成什么",
    "a strength is found for a direction: write what the face should become first": (
        "自动强度只用于“方向”，请先写明要变成什么"
    ),
    "a contact sheet shows a direction: write what the face should become first": (
        "对照表只用于“方向”，请先写明要变成什么"
    ),
    "the page has sent no session; choose a file that the studio saved": "没有收到会话，请选工作室保存的文件",
    "this session is too long for a link; save it as a file instead": "此会话太长，放不进链接，请存为文件",
    "this link holds no session of the studio; copy it again, whole": "链接里没有会话，请重新完整复制",
    "the page has sent no picture; choose a JPEG, PNG or WebP": "没有收到图片，请选 JPEG、PNG 或 WebP",
    "the painted mask is too large; paint it again": "涂抹的蒙版太大，请重新涂",
    "the painted mask is no picture; paint it again": "涂抹的蒙版不是图片，请重新涂",
    "there is no edit to accept; try one first": "没有可接受的编辑，请先试一次",
    "a face has {} edits at most; take one back first": "一张脸最多 {0} 项编辑，请先撤回一项",
    "there is no such edit; look at the list again": "没有这项编辑，请再看看列表",
    "there is nothing to undo": "没有可撤销的了",
    "there is nothing to redo": "没有可重做的了",
    # texts
    "no style channel passes beta {} for this pair of texts: the largest usable beta is {}": (
        "这对文字没有通道达到阈值 {0}，可用的最大阈值是 {1}"
    ),
    "the CLIP of '{}' never saw {}, and nothing reaches beta {}; use other words": (
        "模型 '{0}' 没学过 {1}，没有通道达到阈值 {2}，请换一种说法"
    ),
    "hardly anything answers '{} -> {}': {}, at {} of beta {}; what it does is chance, so use other words": (
        "几乎没有通道响应 '{0}'，效果全凭运气，请换一种说法"
    ),
    "no style channel moves for this pair of texts: no row of the relevance matches it": (
        "这对文字没有任何通道可动"
    ),
    "neutral {} and target {} say the same to CLIP; the edit goes from one to the other, so describe the "
    "change in the target": "对 CLIP 来说 {0} 与 {1} 是一个意思，请在“变成”里写出变化",
    "a prompt must be a non-empty text, got {}; say what to show": "文字不能为空，请写明内容",
    "the CLIP of '{}' never saw {}; what {} then does is chance": (
        "模型 '{0}' 没学过 {1}，所以 {2} 的效果全凭运气"
    ),
    "the CLIP of '{}' reads {} alone; '{}' is told to it as '{}'": ("模型 '{0}' 只懂{1}，'{2}' 已译成 '{3}'"),
    "the CLIP of '{}' reads {} alone, and the table of common attributes does not have '{}'; write it "
    "in {}": ("模型 '{0}' 只懂{1}，常用词表里没有 '{2}'，请用{3}来写"),
    # what the server's machine lacks
    "the server cannot write now; try again later": "服务器现在无法写入，请稍后再试",
    "this server lacks what is needed for this; the cure is in its log": (
        "这台服务器缺少所需的东西，运行者可在日志里找到办法"
    ),
    "what finds people in photos, dlib or its landmark model, is not on this server; its log has the cure": (
        "这台服务器上没有在照片里找人用的 dlib 或它的关键点模型，运行者可在日志里找到办法"
    ),
    # photos
    "no face was found in {}; {}": "照片里没有找到脸，请用正面、端正、双眼可见且足够大的人脸照片",
    "no face of the kind that '{}' knows was found in {}; for photographs of people name a model of theirs, "
    "such as ffhq-config-f": "照片里没有找到 '{0}' 认识的脸，真人照片请换真人的模型，如 ffhq-config-f",
    "no upright face was found in {}, but one that {}; turn the photo {} first": (
        "照片里没有端正的脸，但有一张倒着或躺着的，请先把照片转正"
    ),
    "no face of {} pixels was found in {}, but {} smaller; use a larger copy of it": (
        "照片里只有小于 {0} 像素的脸，请用更大的照片"
    ),
    "the face is tiny: its frame is {} pixels wide, at least {} are needed; use a photo taken from nearer": (
        "脸太小：边框只有 {0} 像素宽，至少要 {1} 像素，请用离得更近的照片"
    ),
    "the picture is tiny: {}x{} pixels, at least {} are needed": "图片太小：{0}x{1} 像素，至少要 {2} 像素",
    "the picture is none of {}; send one of these": "图片格式只能是 {0}",
    "the picture is damaged; save or download it again": "图片已损坏，请重新保存或下载",
}


_LANGUAGES = {"English": "英文", "Chinese": "中文"}
_NEAREST = re.compile(r" \(is it ('.*?')\?\)")  # the known words that are nearest to an unknown one


def in_chinese(message: str) -> str | None:
    """The message of an error or a warning in Chinese; None where it is none of the usual ones."""
    for pattern, words in _patterns():
        found = pattern.fullmatch(message)
        if found:
            return words.format(*map(_value, found.groups()))
    return None


def _value(text: str) -> str:
    """A value of a message, without its English words."""
    nearest = _NEAREST.sub(lambda found: f"（是不是 {found[1]}？）".replace("' or '", "' 或 '"), text)
    return _LANGUAGES.get(text, nearest)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The longest first: of two that match, the one with more fixed words is meant."""
    return [
        (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.DOTALL), words)
        for english, words in sorted(_CHINESE.items(), key=lambda both: -len(both[0]))
    ]
