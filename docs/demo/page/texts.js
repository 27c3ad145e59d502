// What the page says, in both languages.
export const texts = {
  en: {
    title: "A face, and the words that change it",
    lead: "Each slider is a text that CLIP turned into a direction in a generator's style space. Pull one, or several: the directions add up.",
    sliders: "Directions",
    reset: "Reset",
    new: "New face",
    compare: "Before (hold)",
    save: "Save",
    loading: "The generator is on its way …",
    failed: "The page cannot draw here",
    facts: (time, side, size) => `${time} ms for ${side} × ${side} px, drawn in this browser by a model of ${size} MB`,
    foot: "Nobody shown here exists, and nothing leaves this page. Drawn by ppstyleclip's portrait world; Apache-2.0.",
  },
  zh: {
    title: "一张脸，和改变它的文字",
    lead: "每个滑块是一段文字：CLIP 把它变成生成器风格空间里的一个方向。拉动一个或几个，方向会相加。",
    sliders: "方向",
    reset: "全部归零",
    new: "换一张脸",
    compare: "按住看原图",
    save: "保存",
    loading: "正在载入生成器……",
    failed: "此页无法在这里作画",
    facts: (time, side, size) => `${side} × ${side} 像素用时 ${time} 毫秒，由 ${size} MB 的模型在本浏览器中绘制`,
    foot: "图中的人并不存在，任何数据都不会离开此页。由 ppstyleclip 的肖像世界绘制，Apache-2.0 许可。",
  },
};
