# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Chinese words for the attributes."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.captions.words import Words

NOUNS = ("脸", "人", "头像", "肖像", "面孔", "人像", "人脸")  # which say nothing
ADVERBS = {
    "slightly": ("稍微", "有点", "略微", "有一点"),
    "very": ("非常", "很", "特别", "十分"),
    "more": ("更", "更加"),
    "less": ("不那么", "没那么"),
    "not": ("不",),
}
VERBS = {  # by the ending of what one has; said in place of 有
    "毛衣": ("穿", "穿着"),
    "衣服": ("穿", "穿着"),
    "镜": ("戴", "戴着"),
    "环": ("戴", "戴着"),
    "发": ("留着",),
    "刘海": ("留着",),
    "胡子": ("留着",),
}
TEMPLATES = (
    "{}",
    "一张{}的照片",
    "{}的照片",
    "一张{}的图片",
    "{}的肖像",
    "{}的画像",
    "{}的特写",
    "一幅{}的画",
    "一张{}",
    "这是{}",
    "照片里是{}",
    "一张模糊的{}的照片",
    "一张清晰的{}的照片",
    "{}的素描",
    "{}的卡通画",
    "一张好看的{}的照片",
)

WORDS = {
    "sad": Words(
        ("悲伤", "伤心", "难过", "忧愁", "沮丧"),
        phrases=("悲伤的表情", "忧伤的神情", "下垂的嘴角"),
        worn=("哭丧着脸",),
    ),
    "happy": Words(
        ("开心", "快乐", "高兴", "愉快", "欢喜"),
        phrases=("笑容", "微笑", "开心的表情", "笑脸"),
        worn=("微笑", "笑着", "面带笑容", "面带微笑"),
        slightly=("浅浅的笑容", "一丝微笑"),
        very=("大大的笑容", "灿烂的笑容"),
        more=("更多的笑容", "更大的笑容"),
        less=("更少的笑容",),
        absent=("没有笑容", "没有微笑", "不笑", "不微笑", "没在笑"),
    ),
    "grinning": Words((), phrases=("露齿的笑容",), worn=("咧嘴笑", "露齿而笑", "笑得合不拢嘴")),
    "serious": Words(("严肃", "面无表情", "认真"), phrases=("严肃的表情", "没有表情的脸")),
    "gentle": Words(("温和", "平静", "温柔", "放松", "和善"), phrases=("温和的表情", "舒展的眉头")),
    "angry": Words(
        ("生气", "愤怒", "恼火", "恼怒"),
        phrases=("愤怒的表情", "怒容", "紧皱的眉头"),
        worn=("皱着眉头", "怒气冲冲", "发怒"),
        absent=("不生气", "没有生气", "没有怒容"),
    ),
    "sleepy": Words(
        ("困倦", "疲惫", "疲倦", "疲劳", "困"),
        phrases=("半闭的眼睛", "疲惫的眼神"),
        worn=("半闭着眼", "昏昏欲睡"),
    ),
    "surprised": Words(
        ("惊讶", "吃惊", "惊奇", "震惊", "诧异"),
        phrases=("惊讶的表情", "睁大的眼睛"),
        worn=("瞪大眼睛", "挑起眉毛"),
    ),
    "worried": Words(("担心", "焦虑", "忧虑"), phrases=("担心的表情",)),
    "scared": Words(("害怕", "惊恐", "恐惧"), phrases=("害怕的表情",)),
    "grumpy": Words(("暴躁", "闷闷不乐", "脾气坏"), phrases=("阴沉的脸色",)),
    "shouting": Words((), worn=("大喊", "喊叫", "尖叫"), absent=("没有大喊", "没有喊叫")),
    "laughing": Words((), worn=("大笑", "哈哈大笑"), absent=("没有大笑",)),
    "excited": Words(("兴奋", "激动", "惊喜"), phrases=("兴奋的表情",)),
    "bored": Words(("无聊", "厌倦"), phrases=("无聊的表情",)),
    "closed mouth": Words((), phrases=("闭着的嘴", "闭合的嘴唇"), worn=("闭着嘴", "闭嘴", "合着嘴")),
    "open mouth": Words(
        (),
        phrases=("张开的嘴",),
        worn=("张着嘴", "张嘴", "张开嘴", "嘴巴张开"),
        slightly=("微微张开的嘴",),
        very=("张得很大的嘴", "大张的嘴"),
        more=("张得更大的嘴",),
        less=("张得更小的嘴",),
        absent=("不张嘴", "没有张嘴"),
    ),
    "pressed lips": Words((), phrases=("紧闭的嘴唇",), worn=("抿着嘴", "紧闭双唇")),
    "short hair": Words(
        (), phrases=("短发", "短头发", "短发型"), parts={"头发": ("短",)}, worn=("留着短发",)
    ),
    "long hair": Words(
        (), phrases=("长发", "长头发", "长发型"), parts={"头发": ("长",)}, worn=("留着长发", "披着长发")
    ),
    "cropped hair": Words((), phrases=("寸头", "平头", "超短发", "板寸"), worn=("留着寸头",)),
    "chin-length hair": Words((), phrases=("中长发", "齐下巴的头发", "中等长度的头发")),
    "shoulder-length hair": Words((), phrases=("齐肩发", "齐肩的头发", "及肩长发")),
    "hair below the shoulders": Words((), phrases=("披肩长发", "过肩的头发", "披肩发", "飘逸的长发")),
    "straight hair": Words((), phrases=("直发", "直头发", "顺直的头发"), parts={"头发": ("直", "顺滑")}),
    "curly hair": Words(
        (),
        phrases=("卷发", "卷头发", "卷曲的头发", "小卷", "烫发"),
        parts={"头发": ("卷", "卷曲")},
        worn=("烫着卷发",),
        absent=("没有卷发",),
    ),
    "wavy hair": Words((), phrases=("波浪发", "波浪卷", "大波浪", "波浪形的头发", "波浪长发")),
    "flat hair": Words((), phrases=("扁平的头发", "稀薄的头发"), parts={"头发": ("扁平", "稀疏", "稀少")}),
    "full hair": Words(
        (), phrases=("浓密的头发", "蓬松的头发", "蓬松发型"), parts={"头发": ("浓密", "蓬松", "厚")}
    ),
    "swept-back hair": Words(
        (),
        phrases=("背头", "后梳的头发", "高额头", "大背头", "露出的额头"),
        worn=("头发向后梳", "露着额头"),
        slightly=("略高的额头",),
        very=("很高的额头",),
        more=("更高的额头",),
        less=("更低的额头",),
    ),
    "bangs": Words(
        (),
        phrases=("刘海", "齐刘海", "刘海发型", "厚刘海"),
        worn=("留着刘海",),
        slightly=("短短的刘海",),
        very=("很长的刘海",),
        more=("更多的刘海", "更长的刘海"),
        less=("更少的刘海", "更短的刘海"),
        absent=("没有刘海", "不留刘海"),
    ),
    "parted hair": Words((), phrases=("分头", "偏分", "偏分的头发", "分开的头发")),
    "side-swept bangs": Words((), phrases=("斜刘海", "侧刘海", "偏刘海")),
    "bob cut": Words((), phrases=("波波头", "波波头发型", "齐耳短发", "学生头")),
    "bowl cut": Words((), phrases=("蘑菇头", "锅盖头", "西瓜头")),
    "afro": Words((), phrases=("爆炸头", "非洲式发型", "圆蓬蓬的卷发", "爆炸头发型")),
    "black hair": Words(
        (), phrases=("黑发", "黑头发", "黑色头发", "黑色的头发", "乌黑的头发"), parts={"头发": ("黑",)}
    ),
    "dark hair": Words((), phrases=("深色头发", "深色的头发", "暗色头发")),
    "dark brown hair": Words((), phrases=("深棕色头发", "深褐色头发", "深棕色的头发")),
    "brown hair": Words((), phrases=("棕发", "棕色头发", "棕色的头发", "褐色头发", "栗色头发")),
    "light brown hair": Words((), phrases=("浅棕色头发", "浅褐色头发", "浅棕色的头发")),
    "fair hair": Words((), phrases=("浅色头发", "浅色的头发", "淡色头发")),
    "blond hair": Words((), phrases=("金发", "金色头发", "金黄色的头发", "金色的头发", "黄头发")),
    "red hair": Words((), phrases=("红发", "红头发", "红色头发", "红色的头发")),
    "ginger hair": Words((), phrases=("姜黄色头发", "橙色头发", "橘色头发", "橙色的头发")),
    "auburn hair": Words((), phrases=("红棕色头发", "红褐色头发", "赤褐色头发")),
    "ash hair": Words((), phrases=("亚麻灰头发", "灰褐色头发", "灰棕色头发")),
    "grey hair": Words(
        (),
        phrases=("灰发", "灰色头发", "银发", "灰白头发", "花白的头发", "灰色的头发"),
        slightly=("几根灰发",),
        very=("很多灰发",),
        more=("更多的灰发",),
        less=("更少的灰发",),
        absent=("没有灰发",),
    ),
    "white hair": Words((), phrases=("白发", "白头发", "白色头发", "雪白的头发")),
    "purple hair": Words((), phrases=("紫发", "紫色头发", "紫色的头发", "紫头发", "淡紫色头发")),
    "pink hair": Words((), phrases=("粉发", "粉色头发", "粉红色头发", "粉色的头发", "玫红色头发")),
    "teal hair": Words((), phrases=("青色头发", "绿色头发", "绿发", "蓝绿色头发", "青绿色头发")),
    "blue hair": Words((), phrases=("蓝发", "蓝色头发", "蓝色的头发", "蓝头发")),
    "dyed hair": Words(
        (), phrases=("染发", "染过的头发", "彩色头发", "鲜艳的头发"), worn=("染了头发",), absent=("没染发",)
    ),
    "natural hair": Words((), phrases=("自然发色", "天然发色", "自然颜色的头发")),
    "glasses": Words(
        (),
        phrases=("眼镜",),
        worn=("戴眼镜", "戴着眼镜", "戴着一副眼镜"),
        absent=("没有眼镜", "不戴眼镜", "没戴眼镜", "摘下眼镜"),
    ),
    "sunglasses": Words(
        (),
        phrases=("墨镜", "太阳镜", "太阳眼镜"),
        worn=("戴墨镜", "戴着墨镜", "戴太阳镜", "戴着太阳镜"),
        absent=("不戴墨镜", "没戴墨镜", "没有墨镜"),
    ),
    "clear glasses": Words((), phrases=("透明眼镜", "透明镜片", "老花镜"), worn=("戴着透明眼镜", "戴老花镜")),
    "bold glasses": Words(
        (), phrases=("黑框眼镜", "粗框眼镜"), worn=("戴黑框眼镜", "戴着黑框眼镜", "戴着粗框眼镜")
    ),
    "thin glasses": Words(
        (), phrases=("细框眼镜", "金丝眼镜"), worn=("戴细框眼镜", "戴着细框眼镜", "戴着金丝眼镜")
    ),
    "clean-shaven": Words(
        (), phrases=("光洁的下巴", "干净的下巴"), worn=("刮净胡子", "刮了胡子", "没留胡子", "剃了胡子")
    ),
    "stubble": Words((), phrases=("胡茬", "短胡茬", "胡渣", "青色的胡茬"), worn=("没刮胡子", "留着胡茬")),
    "beard": Words(
        (),
        phrases=("胡子", "胡须", "络腮胡"),
        worn=("留胡子", "留着胡子", "长着胡子"),
        slightly=("短短的胡子", "一点胡子"),
        very=("浓密的胡子", "很多胡子"),
        more=("更多的胡子", "更浓的胡子", "更长的胡子"),
        less=("更少的胡子", "更短的胡子"),
        absent=("没有胡子", "没有胡须", "不留胡子", "无胡须"),
    ),
    "full beard": Words((), phrases=("大胡子", "浓密的大胡子", "满脸胡子", "长胡子"), worn=("留着大胡子",)),
    "pale lips": Words(
        (), phrases=("苍白的嘴唇", "浅色的嘴唇", "淡色的嘴唇"), parts={"嘴唇": ("苍白", "淡")}
    ),
    "lipstick": Words(
        (),
        phrases=("口红", "红唇", "红色的嘴唇", "红嘴唇", "唇膏"),
        parts={"嘴唇": ("红", "鲜红")},
        worn=("涂口红", "涂着口红"),
        slightly=("淡淡的口红",),
        very=("鲜艳的口红",),
        more=("更红的口红", "更多的口红"),
        less=("更淡的口红",),
        absent=("没有口红", "不涂口红", "没涂口红"),
    ),
    "makeup": Words(
        (), phrases=("妆容", "化妆"), worn=("化妆", "化了妆"), absent=("不化妆", "没化妆", "没有化妆", "素颜")
    ),
    "long lashes": Words((), phrases=("长睫毛", "长长的睫毛", "睫毛膏", "眼影", "眼线")),
    "earrings": Words(
        (), phrases=("耳环", "珍珠耳环", "耳钉"), worn=("戴耳环", "戴着耳环"), absent=("没有耳环", "不戴耳环")
    ),
    "man": Words(("男性化", "阳刚"), ("男人", "男子", "男士", "男性", "先生"), phrases=("男性特征",)),
    "woman": Words(("女性化",), ("女人", "女子", "女士", "女性", "妇女"), phrases=("女性特征",)),
    "young": Words(("年轻",), ("年轻人", "青年")),
    "old": Words(("年老", "老", "苍老", "年迈"), ("老人", "老年人")),
    "child": Words(("稚嫩", "孩子气"), ("孩子", "小孩", "儿童", "孩童"), phrases=("娃娃脸",)),
    "teenager": Words((), ("青少年", "少年")),
    "adult": Words((), ("成年人", "大人")),
    "middle-aged": Words((), ("中年人",), phrases=("中年的面容",)),
    "elderly": Words((), ("老年长者", "高龄老人", "长者"), phrases=("深深的皱纹", "满脸皱纹")),
    "boy": Words((), ("男孩", "小男孩", "男生", "小伙子", "男孩子")),
    "girl": Words((), ("女孩", "小女孩", "女生", "姑娘", "少女", "女孩子")),
    "grandfather": Words((), ("爷爷", "老爷爷", "老头", "老先生")),
    "grandmother": Words((), ("奶奶", "老奶奶", "老太太", "老妇人")),
    "wrinkles": Words((), phrases=("皱纹", "眼袋", "鱼尾纹", "法令纹"), absent=("没有皱纹",)),
    "freckles": Words((), phrases=("雀斑",), worn=("长着雀斑",), absent=("没有雀斑",)),
    "pale skin": Words(
        ("白皙",),
        phrases=("白皮肤", "白皙的皮肤", "浅色的皮肤", "苍白的脸色"),
        parts={"皮肤": ("白", "白皙", "苍白")},
    ),
    "dark skin": Words(
        (), phrases=("黑皮肤", "深色皮肤", "棕色皮肤", "深色的皮肤", "深肤色"), parts={"皮肤": ("黑", "黝黑")}
    ),
    "tanned skin": Words(
        (),
        phrases=("小麦色皮肤", "晒黑的皮肤", "古铜色皮肤", "小麦肤色"),
        worn=("晒黑了",),
        absent=("没有晒黑",),
    ),
    "narrow face": Words(("瘦", "消瘦"), phrases=("瘦脸", "窄脸", "瘦削的脸"), parts={"脸": ("窄", "瘦")}),
    "wide face": Words(("胖", "圆润"), phrases=("圆脸", "宽脸", "胖脸"), parts={"脸": ("宽", "圆", "胖")}),
    "short face": Words((), phrases=("短脸",), parts={"脸": ("短",)}),
    "long face": Words((), phrases=("长脸", "长脸型"), parts={"脸": ("长",)}),
    "small eyes": Words((), phrases=("小眼睛", "小小的眼睛"), parts={"眼睛": ("小",)}),
    "big eyes": Words((), phrases=("大眼睛", "大大的眼睛"), parts={"眼睛": ("大",)}),
    "close-set eyes": Words((), phrases=("靠得近的眼睛", "窄眼距"), parts={"眼距": ("窄", "近")}),
    "wide-set eyes": Words((), phrases=("分得开的眼睛", "宽眼距"), parts={"眼距": ("宽", "远")}),
    "brown eyes": Words((), phrases=("棕色眼睛", "褐色眼睛", "棕色的眼睛", "棕眼睛")),
    "hazel eyes": Words((), phrases=("琥珀色眼睛", "浅褐色眼睛", "淡褐色的眼睛")),
    "green eyes": Words((), phrases=("绿眼睛", "绿色眼睛", "绿色的眼睛", "碧绿的眼睛")),
    "blue eyes": Words((), phrases=("蓝眼睛", "蓝色眼睛", "蓝色的眼睛", "碧蓝的眼睛")),
    "small nose": Words((), phrases=("小鼻子", "小巧的鼻子"), parts={"鼻子": ("小",)}),
    "big nose": Words((), phrases=("大鼻子",), parts={"鼻子": ("大",)}),
    "thin lips": Words((), phrases=("薄嘴唇", "薄唇"), parts={"嘴唇": ("薄",)}),
    "full lips": Words((), phrases=("厚嘴唇", "厚唇", "丰满的嘴唇"), parts={"嘴唇": ("厚", "丰满")}),
    "thin brows": Words((), phrases=("细眉毛", "细眉", "淡眉毛"), parts={"眉毛": ("细",)}),
    "thick brows": Words((), phrases=("浓眉", "粗眉毛", "浓眉毛"), parts={"眉毛": ("粗", "浓")}),
    "blue background": Words((), phrases=("蓝色背景", "蓝色的背景", "冷色背景")),
    "grey background": Words((), phrases=("灰色背景", "灰色的背景")),
    "orange background": Words((), phrases=("橙色背景", "暖色背景", "橘色背景", "粉色背景")),
    "dark background": Words((), phrases=("深色背景", "昏暗的背景"), parts={"背景": ("暗", "昏暗")}),
    "bright background": Words((), phrases=("浅色背景", "明亮的背景"), parts={"背景": ("亮", "明亮")}),
    "blue clothes": Words(
        (), phrases=("蓝色毛衣", "蓝色衣服"), worn=("穿蓝色衣服", "穿着蓝色毛衣", "穿着蓝色衣服")
    ),
    "teal clothes": Words((), phrases=("青色毛衣", "青色衣服"), worn=("穿青色衣服", "穿着青色毛衣")),
    "grey clothes": Words((), phrases=("灰色毛衣", "灰色衣服"), worn=("穿灰色衣服", "穿着灰色毛衣")),
    "yellow clothes": Words(
        (), phrases=("黄色毛衣", "黄色衣服"), worn=("穿黄色衣服", "穿着黄色毛衣", "穿橙色衣服")
    ),
    "red clothes": Words(
        (), phrases=("红色毛衣", "红色衣服"), worn=("穿红色衣服", "穿着红色毛衣", "穿红衣服")
    ),
    "turned left": Words((), worn=("头转向左边", "脸朝左", "向左看"), absent=("没有转向左边", "不朝左")),
    "facing the camera": Words((), phrases=("正脸", "正面"), worn=("面向镜头", "正对镜头")),
    "turned right": Words((), worn=("头转向右边", "脸朝右", "向右看"), absent=("没有转向右边", "不朝右")),
}
