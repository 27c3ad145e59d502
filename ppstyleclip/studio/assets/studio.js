// Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
// What the page does by itself: it shows news, and sends actions one after the other (see actions.py).
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const held = JSON.parse(document.getElementById("pp-words").textContent);
  const words = held.words;
  const LONG = new Set(["photo", "face", "auto", "optimise", "sheet"]);
  const MOST_SIDE = 2400; // pixels of a photo that is sent; its metadata stays here
  const MOST_SENT = 16e6; // letters; the server takes 20 megabytes
  const MEASURE_MS = 700; // of quiet before the card is measured
  const PATIENCE_MS = 60000;
  const state = { shown: {}, steps: 40, page: 0, brush: "", seeds: [] };
  let send = null, sendCard = null, waiting = [], inFlight = null, watchdog = 0, quiet = 0, camera = null;

  // ---- actions: one at a time; of several tries that wait, the last one
  const ask = (action, value = null) => {
    if (action === "try") waiting = waiting.filter((one) => one.action !== "try");
    waiting.push({ action, value });
    next();
  };
  const next = () => {
    if (inFlight || !send || !waiting.length) return;
    inFlight = waiting.shift();
    const told = { ...inFlight, fields: { ...inFlight.fields, brush: state.brush } };
    if (inFlight.action === "example") Object.assign(told, { action: "try", fields: { ...told.fields, ...inFlight.value } });
    clearTimeout(watchdog);
    clearTimeout(quiet);
    watchdog = setTimeout(() => { inFlight = null; say(words.silent); busy(null); next(); }, LONG.has(told.action) ? 30 * PATIENCE_MS : PATIENCE_MS);
    if (LONG.has(told.action)) busy({ stage: "working" });
    document.body.classList.add("pp-thinks");
    send(LONG.has(told.action) ? "submit" : "select", told);
  };
  const answered = (news) => {
    if (!inFlight) return;
    if (LONG.has(inFlight.action) && news.busy) return; // more will come
    inFlight = null;
    clearTimeout(watchdog);
    document.body.classList.remove("pp-thinks");
    next();
  };

  // ---- what is shown
  const inLanguage = (told) => (document.documentElement.lang === "zh-CN" && told.message_zh) || told.message;
  const say = (text) => { $(".pp-say").textContent = text || ""; };
  const shown = (element, is) => { element.hidden = !is; };
  const busy = (told) => {
    const box = $(".pp-busy"), bar = $("progress", box);
    shown(box, !!told);
    document.body.classList.toggle("pp-waits", !!told);
    if (!told) return;
    $("span", box).textContent = words["stage_" + told.stage] || words.working;
    if (told.total > 1) { bar.max = told.total; bar.value = told.done; } else bar.removeAttribute("value");
    shown($("[data-do=stop]", box), !!told.stop);
  };
  const picture = (image, source) => { if (source && image.src !== source) image.src = source; };
  const show = (news) => {
    const old = state.shown;
    state.shown = { ...old, ...news };
    const now = state.shown, stage = $(".pp-stage");
    picture($(".pp-after", stage), now.view === "photo" && now.photo?.after ? now.photo.after : now.after);
    picture($(".pp-before", stage), now.view === "photo" && now.photo?.after ? now.photo.src : now.before);
    if ("mask" in news) {
      const layer = $(".pp-mask", stage);
      layer.style.maskImage = layer.style.webkitMaskImage = news.mask ? `url("${news.mask}")` : "";
      layer.classList.remove("pp-flash");
      if (news.mask && news.mask !== old.mask) { void layer.offsetWidth; layer.classList.add("pp-flash"); }
    }
    if ("view" in news || "photo" in news) view();
    if ("busy" in news) busy(news.busy);
    if (news.can) {
      $("[data-do=undo]").disabled = !news.can.undo;
      $("[data-do=redo]").disabled = !news.can.redo;
      $("[data-do=reset]").disabled = !news.steps.length;
      all(".pp-stage [data-do=compare]").forEach((one) => { one.disabled = !news.steps.length; });
    }
    if (news.steps) listSteps(news.steps);
    if ("face" in news) faceNote(news.face);
    if (news.seeds) listSeeds(news.seeds);
    if ("sheet" in news) sheet(news.sheet);
    if (news.losses) losses(news.losses);
    if (news.save) save(news.save);
    if (news.link) copyLink(news.link);
    const lines = (news.warnings || []).map(inLanguage);
    if (news.message) lines.unshift(inLanguage(news));
    else if (news.say) lines.unshift(words[news.say] || "");
    else if (news.face) lines.unshift(news.face.poor ? words.poor : news.face.kind === "likeness" ? words.likeness : "");
    if (lines.length) say(lines.filter(Boolean).join("\n"));
    if ("card" in news) card(news.card);
    if (news.steps && !("view" in news) && now.view === "photo" && now.photo?.after) ask("in_photo");
    if (news.after && news.card === null) {
      state.of = news.id;
      quiet = setTimeout(() => sendCard && sendCard("select", { of: state.of }), MEASURE_MS);
    }
  };
  const view = () => {
    const now = state.shown, stage = $(".pp-stage"), box = $(".pp-photo", stage);
    const chooses = now.view === "photo" && now.photo && now.photo.boxes.length > 0;
    stage.dataset.view = now.view || "face";
    shown(box, chooses);
    if (chooses) {
      const image = $("img", box);
      image.onload = () => image.parentElement.style.setProperty("--aspect", image.naturalWidth / image.naturalHeight);
      picture(image, now.photo.src);
      $(".pp-boxes", box).replaceChildren(...now.photo.boxes.map((side, number) => {
        const one = document.createElement("button");
        one.type = "button";
        one.style.cssText = `left:${100 * side[0]}%;top:${100 * side[1]}%;width:${100 * (side[2] - side[0])}%;height:${100 * (side[3] - side[1])}%`;
        one.textContent = number + 1;
        one.classList.toggle("pp-best", number === now.photo.best);
        one.setAttribute("aria-label", `${words.pick} ${number + 1}`);
        one.onclick = () => ask("face", number);
        return one;
      }));
      say(words.pick);
    }
    wipe();
  };
  const faceNote = (face) => {
    shown($(".pp-views"), face.photo);
    $(".pp-stage").dataset.kind = face.kind;
    $(".pp-seed").value = face.seed ?? "";
    all(".pp-seeds button").forEach((one) => one.setAttribute("aria-selected", String(+one.dataset.seed === face.seed)));
  };
  const make = (name, className, text) => {
    const one = document.createElement(name);
    one.className = className || "";
    if (text !== undefined) one.textContent = text;
    return one;
  };
  const listSteps = (steps) => {
    const list = $(".pp-steps");
    list.replaceChildren(...steps.map((step, number) => {
      const row = make("li", step.accepted ? "" : "pp-trying");
      row.append(make("b", "", step.title || words[step.method]), make("span", "pp-number", step.alpha));
      const where = (step.region || "").split("+").filter(Boolean).map((one) => (one === "auto" ? words.region_auto : words[one] || one)).join(", ");
      const method = step.method === "direction" ? "" : words[step.method];
      row.append(make("small", "", [method, where, step.accepted ? "" : words.trying].filter(Boolean).join(" · ")));
      const drop = make("button", "pp-drop-step", "×");
      drop.type = "button";
      drop.title = words.remove;
      drop.setAttribute("aria-label", `${words.remove}: ${step.title}`);
      drop.onclick = () => (step.accepted ? ask("remove", number) : ask("undo"));
      row.append(drop);
      return row;
    }));
    if (!steps.length) list.append(make("li", "pp-none", words.no_edits));
  };
  const listSeeds = (seeds) => {
    $(".pp-seeds").replaceChildren(...seeds.map((face) => {
      const one = make("button");
      one.type = "button";
      one.dataset.seed = face.seed;
      one.setAttribute("role", "option");
      one.setAttribute("aria-label", `${words.seed} ${face.seed}`);
      one.setAttribute("aria-selected", String(state.shown.face?.seed === face.seed));
      const image = make("img");
      image.src = face.src;
      image.alt = "";
      one.append(image);
      one.onclick = () => ask("seed", face.seed);
      return one;
    }));
  };
  const card = (told) => {
    const box = $(".pp-card");
    if (told === null) {
      box.classList.add("pp-old");
      if (!$(".pp-verdict", box)) box.replaceChildren(make("p", "pp-none", words.measuring));
      return;
    }
    box.classList.remove("pp-old");
    if (told.no_text) { box.replaceChildren(make("p", "pp-none", words.no_text)); return; }
    if (!told.verdict) { box.replaceChildren(make("p", "pp-none", words.no_card)); return; }
    const row = (name, value, share, title) => {
      const line = make("div", "pp-row");
      const bar = make("i", "pp-bar");
      bar.style.setProperty("--share", Math.max(0, Math.min(1, share)));
      line.append(make("span", "", words[name]), make("b", "pp-number", value), bar);
      if (title) line.title = title;
      return line;
    };
    const verdict = make("p", "pp-verdict pp-" + told.verdict, words[told.verdict]);
    verdict.title = told.reason;
    const rows = [
      row("along", told.along.toFixed(2), told.along / 0.6),
      row("across", told.across.toFixed(2), told.across),
      row("inside", told.inside.toFixed(2), told.inside * 2, told.likeness),
      row("outside", told.outside.toFixed(2), told.outside * 2, told.likeness),
      row("changed", Math.round(100 * told.changed) + " %", told.changed),
    ];
    if (told.identity !== null) rows.unshift(row("identity", told.identity.toFixed(2), told.identity));
    const numbers = make("div", "pp-numbers");
    numbers.append(...rows);
    box.replaceChildren(verdict, numbers);
  };
  const losses = (values) => {
    const box = $(".pp-card"), low = Math.min(...values), high = Math.max(...values);
    const points = values.map((v, k) => `${(100 * k) / Math.max(1, values.length - 1)},${38 - (36 * (v - low)) / (high - low || 1)}`);
    box.innerHTML = `<svg class="pp-losses" viewBox="0 0 100 40" preserveAspectRatio="none"><polyline points="${points.join(" ")}"/></svg>`;
    box.append(make("p", "pp-none", `CLIP ${values[0].toFixed(3)} → ${values[values.length - 1].toFixed(3)}`));
  };
  const sheet = (told) => {
    const box = $(".pp-sheet");
    shown(box, !!told);
    if (!told) return;
    const table = make("div", "pp-cells");
    table.style.setProperty("--columns", told.alphas.length);
    table.style.setProperty("--rows", told.betas.length);
    table.append(make("span", "pp-corner", "β \\ α"), ...told.alphas.map((alpha) => make("span", "pp-number", "α " + +alpha.toPrecision(3))));
    told.cells.forEach((row, r) => {
      table.append(make("span", "pp-number", "β " + +told.betas[r].toPrecision(3)));
      row.forEach((source, c) => {
        const one = make("button", r === told.chosen[0] && c === told.chosen[1] ? "pp-chosen" : "");
        one.type = "button";
        one.setAttribute("aria-label", `alpha ${told.alphas[c]}, beta ${told.betas[r]}`);
        const image = make("img");
        image.src = source;
        image.alt = "";
        one.append(image);
        one.onclick = () => { show({ sheet: null }); ask("cell", { alpha: told.alphas[c], beta: told.betas[r] }); };
        table.append(one);
      });
    });
    const close = make("button", "pp-button pp-close", words.close);
    close.type = "button";
    close.onclick = () => show({ sheet: null });
    box.replaceChildren(table, close);
    ($(".pp-chosen", box) || close).focus({ preventScroll: true });
  };
  const save = (file) => {
    const link = make("a");
    link.href = file.data;
    link.download = file.name;
    document.body.append(link);
    link.click();
    link.remove();
  };
  const copyLink = async (link) => {
    history.replaceState(null, "", "#session=" + link);
    try { await navigator.clipboard.writeText(location.href); } catch { /* the address bar has it */ }
    say(words.link_done);
  };

  // ---- before and after
  const wipe = (value) => {
    const input = $(".pp-wipe");
    if (value !== undefined) input.value = value;
    $(".pp-frame").style.setProperty("--wipe", input.value + "%");
  };
  const compare = (is) => $(".pp-frame").classList.toggle("pp-comparing", is);

  // ---- the brush
  const paints = () => !$(".pp-canvas").hidden;
  const brush = (is) => { shown($(".pp-canvas"), is); shown($(".pp-paint"), is); };
  const mountBrush = (canvas) => {
    const pen = canvas.getContext("2d");
    let last = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(256 * (event.clientX - box.left)) / box.width, (256 * (event.clientY - box.top)) / box.height];
    };
    const draw = (event) => {
      const [x, y] = place(event);
      pen.lineCap = pen.lineJoin = "round";
      pen.lineWidth = +$(".pp-size").value;
      pen.strokeStyle = "#fff";
      pen.beginPath();
      pen.moveTo(...(last || [x - 0.01, y]));
      pen.lineTo(x, y);
      pen.stroke();
      last = [x, y];
    };
    canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); last = null; draw(event); };
    canvas.onpointermove = (event) => { if (last) draw(event); };
    canvas.onpointerup = canvas.onpointercancel = () => {
      if (!last) return;
      last = null;
      const flat = make("canvas");
      flat.width = flat.height = 256;
      const paper = flat.getContext("2d");
      paper.fillRect(0, 0, 256, 256);
      paper.drawImage(canvas, 0, 0);
      state.brush = flat.toDataURL("image/png");
      ask("try");
    };
  };
  const clearBrush = () => { $(".pp-canvas").getContext("2d").clearRect(0, 0, 256, 256); state.brush = ""; ask("try"); };

  // ---- photos: turned upright and made smaller here, without what their files say
  const openPhoto = async (file) => {
    if (!file || !file.type.startsWith("image/")) return;
    try {
      const image = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, MOST_SIDE / Math.max(image.width, image.height));
      sendPixels(image, Math.round(image.width * scale), Math.round(image.height * scale));
    } catch {
      const reader = new FileReader(); // the server says what is wrong with it
      reader.onload = () => ask("photo", reader.result);
      reader.readAsDataURL(file);
    }
  };
  const sendPixels = (source, width, height) => {
    const canvas = make("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(source, 0, 0, width, height);
    const exact = canvas.toDataURL("image/png"); // so that what no edit reaches stays as it was
    ask("photo", exact.length < MOST_SENT ? exact : canvas.toDataURL("image/jpeg", 0.97));
  };
  const openCamera = async () => {
    try {
      camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: 1280 }, audio: false });
    } catch (error) { say(String(error.message || error)); return; }
    const video = $(".pp-camera video");
    video.srcObject = camera;
    video.play();
    shown($(".pp-camera"), true);
  };
  const closeCamera = () => { camera?.getTracks().forEach((one) => one.stop()); camera = null; shown($(".pp-camera"), false); };
  const capture = () => { const video = $(".pp-camera video"); if (video.videoWidth) sendPixels(video, video.videoWidth, video.videoHeight); closeCamera(); };

  // ---- buttons and keys
  const theme = () => {
    const dark = !document.body.classList.contains("dark");
    document.body.classList.toggle("dark", dark);
    try { localStorage.setItem("pp-theme", dark ? "dark" : "light"); } catch { /* private windows */ }
  };
  const does = {
    theme, capture,
    clear: clearBrush, camera: openCamera, uncamera: closeCamera,
    choose: () => $(".pp-file").click(),
    open_session: () => $(".pp-session-file").click(),
    more: () => ask("seeds", ++state.page),
    run: () => ask("optimise", state.steps),
    stop: () => send("stop", {}),
    view_face: () => show({ view: "face" }),
    example: (button) => ask("example", { neutral: button.dataset.neutral, target: button.dataset.target }),
    language: (link) => { link.href = link.getAttribute("href").split("#")[0] + location.hash; },
    compare: () => {},
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do]");
    if (!button || button.disabled) return;
    const action = button.dataset.do;
    (does[action] || (() => ask(action)))(button);
  });
  const hold = (event, is) => { if (event.target.closest?.("[data-do=compare]") || !is) compare(is); };
  document.addEventListener("pointerdown", (event) => hold(event, true));
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, (event) => hold(event, false));
  document.addEventListener("keydown", (event) => {
    const types = event.target.closest?.("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask("accept"); return; }
    if (types || event.altKey) return;
    const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    if (key === "z" && !event.shiftKey) { event.preventDefault(); ask("undo"); }
    else if (key === "y" || (key === "z" && event.shiftKey)) { event.preventDefault(); ask("redo"); }
    else if (command) return;
    else if (key === "c") compare(true);
    else if (key === "escape") { show({ sheet: null }); closeCamera(); if (state.shown.photo?.boxes?.length) show({ view: "face" }); }
    else if ((key === "arrowleft" || key === "arrowright") && event.target.closest(".pp-stage") && event.target.type !== "range") {
      wipe(Math.max(0, Math.min(100, +$(".pp-wipe").value + (key === "arrowright" ? 4 : -4))));
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "c") compare(false);
    // Gradio's sliders tell of a release by the mouse alone.
    if (event.target.closest?.("#pp-alpha, #pp-beta, #pp-share") && event.key.startsWith("Arrow")) ask("try");
  });
  const sliders = "#pp-alpha, #pp-beta, #pp-share"; // their numbers and their resets tell of no release
  document.addEventListener("change", (event) => { if (event.target.type === "number" && event.target.closest(sliders)) setTimeout(() => ask("try"), 50); });
  document.addEventListener("click", (event) => { if (event.target.closest?.("button")?.closest(sliders)) setTimeout(() => ask("try"), 50); });
  addEventListener("hashchange", () => location.reload()); // another session's link in the same window
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
    if (file) { event.preventDefault(); openPhoto(file); }
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      shown($(".pp-drop"), name === "dragover");
      if (name === "drop") openPhoto(event.dataTransfer.files[0]);
    });
  }

  try {
    const wished = localStorage.getItem("pp-theme");
    const apply = () => wished && document.body.classList.toggle("dark", wished === "dark");
    document.addEventListener("DOMContentLoaded", () => { apply(); setTimeout(apply, 500); });
  } catch { /* private windows */ }

  window.ppStudio = {
    mount(element, props, trigger, watch) {
      send = trigger;
      document.documentElement.lang = document.querySelector("[data-do=language]")?.hreflang === "en" ? "zh-CN" : "en";
      $(".pp-wipe").oninput = () => wipe();
      mountBrush($(".pp-canvas"));
      $(".pp-file").onchange = (event) => { openPhoto(event.target.files[0]); event.target.value = ""; };
      $(".pp-session-file").onchange = async (event) => { const file = event.target.files[0]; event.target.value = ""; if (file) ask("open_session", await file.text()); };
      $(".pp-seed").onchange = (event) => event.target.value !== "" && ask("seed", event.target.value);
      window.ppStudio.method("direction");
      let begun = false;
      watch("value", () => {
        const news = props.value;
        if (!news || !news.id) return;
        show(news);
        answered(news);
        if (!begun) { begun = true; ask("seeds", 0); }
      });
    },
    mountCard(element, props, trigger, watch) {
      sendCard = trigger;
      watch("value", () => { if (props.value?.of === state.of) show(props.value); });
    },
    tryOut: () => { ask("try"); },
    regions: (names) => { brush(names.includes("brush")); if (!names.includes("brush") || state.brush || names.length > 1) ask("try"); },
    takesText: (does) => { document.body.classList.toggle("pp-takes-text", does); },
    method: (name) => { document.body.dataset.method = name; if (name !== "optimise" && begunOnce()) ask("try"); },
    steps: (number) => { state.steps = number; },
  };
  const begunOnce = () => !!state.shown.after;
})();
