// A face s [S], ten directions ds [S], and a slider alpha for each: what is drawn is s + sum of alpha * ds.
import { texts } from "./texts.js";
import { withTexts } from "./png.js";

const $ = (id) => document.getElementById(id);
const canvas = $("face"), context = canvas.getContext("2d");
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
let language = navigator.language?.startsWith("zh") ? "zh" : "en";
let model, directions, faces, face, next = 0, shown = null, wanted = null, busy = false, calls = 0, comparing = false;
const waiting = new Map(), alphas = [];

function ask(message) {
  return new Promise((resolve, reject) => {
    waiting.set(++calls, { resolve, reject });
    worker.postMessage({ id: calls, ...message });
  });
}

const ready = new Promise((resolve, reject) => {
  worker.onerror = () => reject(new Error("worker"));
  worker.onmessage = ({ data }) => {
    if (data.ready) resolve();
    else if (!data.id) reject(new Error(data.error));
    else {
      const { resolve: done, reject: failed } = waiting.get(data.id);
      waiting.delete(data.id);
      data.error ? failed(new Error(data.error)) : done(data);
    }
  };
});

const rows = async (name, width) => {
  const answer = await fetch(new URL(`./model/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const all = new Float32Array(await answer.arrayBuffer());
  return Array.from({ length: all.length / width }, (_, k) => all.subarray(k * width, (k + 1) * width));
};

function edited() {
  const s = Float32Array.from(face);
  if (!comparing) {
    directions.forEach((ds, k) => {
      if (alphas[k]) for (let c = 0; c < s.length; c++) s[c] += alphas[k] * ds[c];
    });
  }
  return s;
}

// The newest wish counts: what was wished for while a picture was being drawn is drawn once.
async function draw() {
  wanted = edited();
  if (busy) return;
  busy = true;
  try {
    while (wanted) {
      const s = wanted;
      wanted = null;
      shown = await ask({ s });
      canvas.width = canvas.height = shown.side;
      context.putImageData(new ImageData(shown.pixels, shown.side), 0, 0);
      say();
    }
    document.documentElement.dataset.drawn = String(1 + Number(document.documentElement.dataset.drawn || 0));
  } catch (error) {
    fail(error);
  } finally {
    busy = false;
  }
}

function normal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
}

async function anotherFace() {
  if (next < faces.length) face = faces[next++];
  else {
    const z = Float32Array.from({ length: model.style_dim }, normal);
    face = (await ask({ z, layers: model.n_latent, mean: model.mean_w, truncation: model.truncation })).s;
  }
  await draw();
}

function showSliders() {
  $("sliders").replaceChildren(...model.directions.map((direction, k) => {
    const box = document.createElement("div"), label = document.createElement("label");
    const input = document.createElement("input"), value = document.createElement("output");
    const name = document.createElement("span");
    name.textContent = direction[language];
    Object.assign(input, { type: "range", min: -model.most, max: model.most, step: 0.25, id: `slider-${k}` });
    label.htmlFor = value.htmlFor = input.id;
    label.append(name, value);
    box.append(label, input);
    const show = () => {
      const share = 50 + 50 * alphas[k] / model.most, [from, to] = [Math.min(50, share), Math.max(50, share)];
      input.value = alphas[k];
      input.style.setProperty("--track",
        `linear-gradient(90deg, var(--line) ${from}%, var(--accent) ${from}% ${to}%, var(--line) ${to}%)`);
      value.textContent = (alphas[k] > 0 ? "+" : "") + alphas[k].toLocaleString(language);
      box.className = alphas[k] ? "slider moved" : "slider";
    };
    input.addEventListener("input", () => { alphas[k] = Number(input.value); show(); draw(); });
    input.addEventListener("dblclick", () => { alphas[k] = 0; show(); draw(); });
    show();
    return box;
  }));
}

function say() {
  if (!shown) return;
  const time = Math.round(shown.milliseconds), size = (model.bytes / 1e6).toLocaleString(language, { maximumFractionDigits: 1 });
  document.documentElement.dataset.milliseconds = String(time);
  $("time").textContent = texts[language].facts(time, shown.side, size);
}

function speak() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = texts[language][element.dataset.text];
  }
  $("language").textContent = language === "zh" ? "English" : "中文";
  $("language").lang = language === "zh" ? "en" : "zh";
  if (!$("veil").hidden) $("veil").textContent = texts[language].loading;
  if (model) showSliders();
  say();
}

function fail(error) {
  $("veil").hidden = false;
  $("veil").textContent = `${texts[language].failed} (${error.message})`;
  document.documentElement.dataset.failed = error.message;
}

async function save() {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const labelled = withTexts(new Uint8Array(await blob.arrayBuffer()), model.texts);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([labelled], { type: "image/png" }));
  link.download = "face.png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function compare(on) {
  if (comparing === on) return;
  comparing = on;
  draw();
}

$("language").onclick = () => { language = language === "zh" ? "en" : "zh"; speak(); };
$("new").onclick = () => anotherFace().catch(fail);
$("reset").onclick = () => { if (model) { alphas.fill(0); showSliders(); draw(); } };
$("save").onclick = save;
$("compare").onpointerdown = () => compare(true);
for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) $("compare").addEventListener(end, () => compare(false));
$("compare").onkeydown = (event) => { if (event.key === " " || event.key === "Enter") compare(true); };
$("compare").onkeyup = () => compare(false);

speak();
try {
  const answer = await fetch(new URL("./model/model.json", import.meta.url));
  if (!answer.ok) throw new Error(`model.json: ${answer.status}`);
  model = await answer.json();
  alphas.push(...model.directions.map(() => 0));
  [directions, faces] = await Promise.all([rows("directions.bin", model.channels), rows("faces.bin", model.channels)]);
  showSliders();
  await ready;
  await anotherFace();
  $("veil").hidden = true;
  for (const id of ["new", "compare", "save"]) $(id).disabled = false;
} catch (error) {
  fail(error);
}
