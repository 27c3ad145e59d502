# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The page's words in English and Chinese, and examples of texts that the embedded model knows."""

from __future__ import annotations

from collections.abc import Iterable

LANGUAGES = ("en", "zh")

# Name -> (English, Chinese).
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("ppstyleclip studio", "ppstyleclip 工作室"),
    "studio": ("studio", "工作室"),
    "private": (
        "Photos stay on the machine that runs this page, and none is kept.",
        "照片只在运行本页面的机器上处理，不外传，也不保存。",
    ),
    "language": ("中文", "English"),
    "theme": ("Light or dark", "浅色或深色"),
    "face": ("Face", "人脸"),
    "faces": ("Faces that do not exist", "不存在的人脸"),
    "more": ("More faces", "换一批"),
    "seed": ("Seed", "种子"),
    "photo": ("Your photo", "你的照片"),
    "choose": ("Choose a photo", "选择照片"),
    "drop": ("or drop one here, or paste it with Ctrl+V", "也可以拖到这里，或按 Ctrl+V 粘贴"),
    "webcam": ("Camera", "摄像头"),
    "capture": ("Take the picture", "拍照"),
    "edit": ("Edit", "编辑"),
    "method": ("Method", "方法"),
    "direction": ("Direction", "方向"),
    "optimise": ("Optimise", "优化"),
    "mapper": ("Mapper", "映射器"),
    "neutral": ("It is", "现在是"),
    "target": ("It becomes", "变成"),
    "examples": ("Examples", "示例"),
    "alpha": ("Strength (alpha)", "强度 (alpha)"),
    "beta": ("Threshold (beta)", "阈值 (beta)"),
    "share": ("Strength", "强度"),
    "auto": ("Auto", "自动"),
    "auto_hint": (
        "Find the smallest strength at which this face reaches the text",
        "为这张脸寻找恰好达到文字的最小强度",
    ),
    "steps": ("Steps", "步数"),
    "run": ("Optimise", "开始优化"),
    "stop": ("Stop", "停止"),
    "name": ("Trained mapper", "训练好的映射器"),
    "mapper_text": ("Text, where the mapper takes one", "文字（如果映射器需要）"),
    "regions": ("Only here", "只改这里"),
    "brush": ("Brush", "画笔"),
    "brush_size": ("Size of the brush", "画笔大小"),
    "brush_clear": ("Clear", "清除"),
    "accept": ("Accept", "接受"),
    "undo": ("Undo", "撤销"),
    "redo": ("Redo", "重做"),
    "reset": ("Start over", "重新开始"),
    "compare": ("Compare", "对比"),
    "compare_hint": ("Hold to see the face before its edits", "按住可看修改前的人脸"),
    "sheet": ("Contact sheet", "对照表"),
    "sheet_hint": ("Strengths and thresholds side by side; choose one", "强度与阈值一览，点选一格"),
    "save": ("Download", "下载"),
    "save_photo": ("Download the photo", "下载照片"),
    "save_session": ("Save session", "保存会话"),
    "open_session": ("Open session", "打开会话"),
    "link": ("Copy link", "复制链接"),
    "link_done": (
        "The link is copied. It holds the face and the edits, no photo.",
        "链接已复制，其中有人脸的潜码和各项编辑，没有照片。",
    ),
    "edits": ("Edits", "编辑列表"),
    "no_edits": ("Nothing accepted yet", "还没有接受任何编辑"),
    "trying": ("trying", "试用中"),
    "remove": ("Take this edit back", "撤回此项"),
    "card": ("What it did", "效果卡"),
    "no_card": ("Move the strength to try an edit", "拖动强度来试一次编辑"),
    "measuring": ("Measuring", "测量中"),
    "no_text": (
        "A mapper without a text has nothing to be measured by",
        "没有文字的映射器无从测量",
    ),
    "good": ("good", "良好"),
    "weak": ("weak", "不足"),
    "harmful": ("harmful", "有害"),
    "identity": ("Same person", "同一个人"),
    "inside": ("Change inside", "区域内变化"),
    "outside": ("Change outside", "区域外变化"),
    "along": ("Along the text", "沿着文字"),
    "across": ("Beside the text", "偏离文字"),
    "changed": ("Pixels changed", "改动的像素"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "wipe": ("Before and after", "前后对比"),
    "view_face": ("Face", "人脸"),
    "view_photo": ("In the photo", "在照片中"),
    "close": ("Close", "关闭"),
    "pick": ("Choose a face", "选一张脸"),
    "likeness": (
        "This small model draws portraits, not photographs: what you see is a portrait in the person's "
        "likeness. It cannot go back into the photo.",
        "这个小模型画的是肖像，不是照片：你看到的是一幅像此人的肖像，不能贴回照片。",
    ),
    "picture": ("The face", "人脸"),
    "poor": (
        "The model draws this face poorly; edits will show it.",
        "模型画这张脸画得不太像，编辑后也会如此。",
    ),
    "keys": (
        "Keys: Enter tries, Ctrl+Enter accepts, Z undoes, Y redoes, hold C to compare, arrows move the line",
        "按键：Enter 试用，Ctrl+Enter 接受，Z 撤销，Y 重做，按住 C 对比，方向键移动分界线",
    ),
    "working": ("Working", "处理中"),
    "stage_faces": ("Looking for faces", "正在寻找人脸"),
    "stage_likeness": ("Reading the likeness", "正在读取相貌"),
    "stage_latents": ("Finding the latent", "正在寻找潜码"),
    "stage_strength": ("Trying strengths", "正在尝试强度"),
    "stage_optimising": ("Optimising", "正在优化"),
    "stage_pictures": ("Drawing", "正在绘制"),
    "reached": ("strength found: the text is reached", "找到强度：已达到文字"),
    "bound_identity": (
        "strength found: more would cost the person's identity",
        "找到强度：再强就不像本人了",
    ),
    "bound_outside": ("strength found: more would change the rest", "找到强度：再强会改动其他部分"),
    "bound_text": ("strength found: no other came nearer to the text", "找到强度：没有更接近文字的了"),
    "failed": ("Something went wrong here; the server's log names it", "出错了，详情见服务器日志"),
    "silent": (
        "The server has not answered yet: it is busy, or it has ended",
        "服务器还没有回应：可能正忙，也可能已停止",
    ),
    "lost": ("The server has restarted; load the page again", "服务器已重启，请重新载入页面"),
    "mouth": ("mouth", "嘴"),
    "eyes": ("eyes", "眼睛"),
    "hair": ("hair", "头发"),
    "skin": ("skin", "皮肤"),
    "background": ("background", "背景"),
    "nose": ("nose", "鼻子"),
    "brows": ("brows", "眉毛"),
    "beard": ("beard", "胡子"),
    "glasses": ("glasses", "眼镜"),
    "clothes": ("clothes", "衣服"),
    "region_auto": ("where the text lives", "文字所指之处"),
}

# (neutral, target) of each language; in the words of the portrait world, which a larger CLIP knows as well.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("face", "happy face"),
        ("face", "face with glasses"),
        ("face", "old face"),
        ("face", "face with a beard"),
        ("face", "face with curly hair"),
        ("face", "face with blond hair"),
        ("face", "surprised face"),
    ),
    "zh": (
        ("脸", "开心的脸"),
        ("脸", "戴眼镜的脸"),
        ("脸", "年老的脸"),
        ("脸", "有胡子的脸"),
        ("脸", "卷发的脸"),
        ("脸", "金发的脸"),
        ("脸", "惊讶的脸"),
    ),
}


def words_in(language: str) -> dict[str, str]:
    """All words of the page in one of LANGUAGES, `{name: words}`."""
    number = LANGUAGES.index(language)
    return {name: both[number] for name, both in _WORDS.items()}


def preferred(header: str, known: Iterable[str] = LANGUAGES) -> str:
    """The language that a browser's Accept-Language asks for first among those that are known."""
    wished = []
    for number, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";")
        try:
            share = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            share = 0.0
        wished.append((-share, number, tag.strip().lower().partition("-")[0]))
    return next((tag for share, _, tag in sorted(wished) if tag in known and share < 0), LANGUAGES[0])
