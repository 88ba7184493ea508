"use strict";

const byId = (id) => document.getElementById(id);
const content = JSON.parse(byId("data").textContent);
const { summary, metrics, samples } = content;
const higher = new Set(content.higher);
const places = { psnr: 2, ssim: 4, ssim_uniform: 4, ssim_3d: 4, lpips: 4 };
const worst = 10;

// Elements are made, never written as markup: names come from files.
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const shown = (name, value) => (value === null ? "∞" : value.toFixed(places[name] ?? 3));
const arrow = (name) => (higher.has(name) ? "↑" : "↓");

function headRow(first, names) {
  const cells = names.map((name) => element("th", { scope: "col" }, `${name} ${arrow(name)}`));
  return element("thead", {}, element("tr", {}, element("th", { scope: "col" }, first), ...cells));
}

/* The summary */

function bestOf(name, values) {
  const known = values.map((value) => value ?? Infinity);
  return higher.has(name) ? Math.max(...known) : Math.min(...known);
}

function showMeans() {
  const rows = summary.contestants.map((one) => {
    const cells = metrics.map((name) => {
      const all = summary.contestants.map((other) => other.means[name]);
      const isBest = all.length > 1 && (one.means[name] ?? Infinity) === bestOf(name, all);
      return element("td", { className: isBest ? "best" : "" }, shown(name, one.means[name]));
    });
    return element("tr", {}, element("th", { scope: "row" }, one.label), ...cells);
  });
  byId("means").append(headRow("network", metrics), element("tbody", {}, ...rows));
}

function showPublished() {
  for (const one of summary.contestants.filter((each) => each.published.length)) {
    const head = ["metric", "ours", "published", "difference", "source"];
    const rows = one.published.map((row) => {
      const sign = row.difference < 0 ? "" : "+";
      const numbers = [
        shown(row.means, row.ours),
        shown(row.means, row.published),
        sign + shown(row.means, row.difference),
      ];
      return element(
        "tr", {},
        element("th", { scope: "row" }, row.metric),
        ...numbers.map((text) => element("td", {}, text)),
        element("td", { className: "long" }, [row.source, row.note].filter(Boolean).join("; ")),
      );
    });
    const cells = head.map((text) => element("th", { scope: "col", className: text === "source" ? "long" : "" }, text));
    byId("published").append(
      element("h2", {}, `${one.label}: ours, published, difference`),
      element(
        "div", { className: "scroll", tabIndex: 0 },
        element(
          "table", {},
          element("thead", {}, element("tr", {}, ...cells)),
          element("tbody", {}, ...rows),
        ),
      ),
    );
    if (!summary.complete) {
      byId("published").append(element(
        "p", { className: "note" },
        `Only ${one.samples} of ${summary.published_samples} samples were measured: not comparable.`,
      ));
    }
  }
}

function showByTime() {
  const timed = summary.contestants.filter((one) => Object.keys(one.by_time).length);
  byId("by-time").hidden = !timed.length;
  for (const one of timed) {
    const rows = Object.entries(one.by_time).map(([time, means]) => element(
      "tr", {},
      element("th", { scope: "row" }, time),
      ...metrics.map((name) => element("td", {}, shown(name, means[name]))),
    ));
    byId("by-time").append(
      element("p", {}, one.label),
      element(
        "div", { className: "scroll", tabIndex: 0 },
        element("table", {}, headRow("time", metrics), element("tbody", {}, ...rows)),
      ),
    );
  }
}

function showList(id, entries) {
  const list = document.querySelector(`#${id} dl`);
  for (const [term, text] of entries) {
    list.append(element("dt", {}, term), element("dd", {}, String(text)));
  }
}

function showSummary() {
  const first = summary.contestants[0];
  const title = `${summary.dataset}: ${summary.contestants.map((one) => one.label).join(", ")}`;
  document.title = title;
  document.querySelector("h1").textContent = title;
  byId("about").textContent = [
    `${first.samples}${summary.complete ? "" : ` of ${summary.published_samples}`} samples, ${first.frames} frames`,
    `rounding: ${summary.protocol.rounding}`,
    `self-ensemble: ${summary.self_ensemble ? "on" : "off"}`,
    summary.protocol.note,
  ].filter(Boolean).join(" · ");
  showMeans();
  showPublished();
  showByTime();
  showList("definitions", Object.entries(summary.definitions));
  showList("environment", [
    ...Object.entries(summary.environment),
    ...summary.contestants.map((one) => [one.label, `weights ${one.weights}, SHA-256 ${one.weights_sha256 ?? "none"}`]),
  ]);
}

/* The list of samples */

const list = { network: summary.contestants[0].label, key: "psnr", descending: false, all: false };

function sorted() {
  const at = metrics.indexOf(list.key);
  const compare = at < 0
    ? (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })
    : (a, b) => (a.values[list.network][at] ?? Infinity) - (b.values[list.network][at] ?? Infinity);
  const rows = [...samples].sort(compare);
  return list.descending ? rows.reverse() : rows;
}

function sortBy(key) {
  const worstFirst = key !== "sample" && !higher.has(key);
  list.descending = list.key === key ? !list.descending : worstFirst;
  list.key = key;
  showSamples();
  document.querySelector(`#samples button[data-key="${key}"]`).focus();
}

function sortHeading(key, text) {
  const order = list.key !== key ? "none" : list.descending ? "descending" : "ascending";
  const mark = { none: "", ascending: " ▲", descending: " ▼" }[order];
  const button = element("button", { type: "button", onclick: () => sortBy(key) }, text + mark);
  button.dataset.key = key;
  const cell = element("th", { scope: "col" }, button);
  cell.setAttribute("aria-sort", order);
  return cell;
}

function showSamples() {
  const rows = sorted();
  const visible = list.all ? rows : rows.slice(0, worst);
  const body = visible.map((sample) => {
    const open = element("button", { type: "button", onclick: () => openViewer(sample) }, sample.name);
    const cells = metrics.map((name, at) => element("td", {}, shown(name, sample.values[list.network][at])));
    return element("tr", {}, element("th", { scope: "row" }, open), ...cells);
  });
  const heading = [sortHeading("sample", "sample"), ...metrics.map((name) => sortHeading(name, `${name} ${arrow(name)}`))];
  byId("samples").replaceChildren(
    element("thead", {}, element("tr", {}, ...heading)),
    element("tbody", {}, ...body),
  );
  const hidden = rows.length - worst;
  byId("more").textContent = hidden <= 0 ? "" : list.all ? `Show ${worst} only` : `Show all ${rows.length}`;
  const worstFirst = list.key !== "sample" && list.descending !== higher.has(list.key);
  const what = list.key === "sample" ? "by name" : `by ${list.key}, ${worstFirst ? "worst" : "best"} first`;
  byId("order").textContent = `${visible.length} of ${rows.length}, ${what}`;
}

/* One sample */

const viewer = { sample: null, pictures: null, flip: 0, timer: null };
const dialog = byId("viewer");
const [paintedVideo, truthVideo] = document.querySelectorAll("#playback video");

function choices(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  if (entries.some(([value]) => value === chosen)) select.value = chosen;
}

function sources() {
  const { pictures } = viewer;
  const found = new Map([["truth", ["truth", pictures.truth]]]);
  for (const [label, painted] of Object.entries(pictures.painted)) {
    found.set(`painted ${label}`, [label, painted.frame]);
  }
  found.set("frame0", ["first frame", pictures.frame0]);
  found.set("frame1", ["second frame", pictures.frame1]);
  return found;
}

function showSlider() {
  const found = sources();
  for (const side of ["left", "right"]) {
    const [text, address] = found.get(byId(`${side}-what`).value);
    byId(side).src = address;
    byId(side).alt = text;
    byId(`${side}-tag`).textContent = text;
  }
}

function showSplit() {
  document.querySelector("#slider .stack").style.setProperty("--split", `${byId("split").value}%`);
}

function showFlip() {
  const { pictures, flip } = viewer;
  const steps = [
    ["first frame", pictures.frame0],
    [`${list.network}, time ${pictures.time}`, pictures.painted[list.network].frame],
    ["second frame", pictures.frame1],
  ];
  const [text, address] = steps[flip % steps.length];
  const image = document.querySelector("#flip img");
  image.src = address;
  image.alt = text;
  byId("flip-tag").textContent = text;
}

function stopFlip() {
  clearInterval(viewer.timer);
  viewer.timer = null;
  byId("play").textContent = "Play";
}

function stepFlip() {
  viewer.flip += 1;
  showFlip();
}

function startFlip() {
  stopFlip();
  viewer.timer = setInterval(stepFlip, 1000 / byId("speed").value);
  byId("play").textContent = "Pause";
}

function showError() {
  const image = document.querySelector("#error img");
  image.src = viewer.pictures.painted[list.network].error;
  image.alt = `absolute error of ${list.network}`;
  const brightest = viewer.pictures.error_scale.toFixed(0);
  document.querySelector("#error figcaption").textContent =
    `Absolute error of ${list.network}, mean over channels: black is 0, yellow ${brightest} of 255 and more`;
}

function showFlow() {
  const { flows } = viewer.pictures.painted[list.network];
  byId("flow").hidden = !flows.longest;
  if (!flows.longest) return;
  const names = { flow0: "to the first frame", flow1: "to the second frame" };
  const known = Object.keys(names).filter((name) => flows[name]);
  choices(byId("flow-what"), known.map((name) => [name, names[name]]), byId("flow-what").value);
  const image = document.querySelector("#flow img");
  image.src = flows[byId("flow-what").value];
  image.alt = `flow of ${list.network} ${names[byId("flow-what").value]}`;
  document.querySelector("#flow figcaption span").textContent = `full color is ${flows.longest.toFixed(1)} px`;
}

function showPlayback() {
  const { playback } = viewer.pictures;
  byId("playback").hidden = !playback;
  stopBoth();
  if (!playback) return;
  paintedVideo.src = playback.painted[list.network];
  truthVideo.src = playback.truth;
  document.querySelector("#playback figcaption").textContent = `${list.network} with the given frames`;
}

function stopBoth() {
  paintedVideo.pause();
  truthVideo.pause();
  byId("play-both").textContent = "Play both";
}

function playBoth() {
  if (!paintedVideo.paused) return stopBoth();
  truthVideo.currentTime = paintedVideo.currentTime;
  byId("play-both").textContent = "Pause both";
  return Promise.all([paintedVideo.play(), truthVideo.play()]);
}

function keepTogether() {
  if (Math.abs(truthVideo.currentTime - paintedVideo.currentTime) > 0.08) {
    truthVideo.currentTime = paintedVideo.currentTime;
  }
  byId("position").value = paintedVideo.currentTime / (paintedVideo.duration || 1);
}

function showSample() {
  const { sample } = viewer;
  stopFlip();
  byId("viewer-title").textContent = sample.name;
  byId("viewer-numbers").textContent = metrics
    .map((name, at) => `${name} ${shown(name, sample.values[list.network][at])}`).join(" · ");
  const holder = byId(`pictures-${samples.indexOf(sample)}`);
  viewer.pictures = holder && JSON.parse(holder.textContent);
  byId("no-pictures").hidden = Boolean(holder);
  byId("pictures").hidden = !holder;
  byId("playback").hidden = true;
  if (!holder) return stopBoth();
  const entries = [...sources()].map(([value, [text]]) => [value, text]);
  choices(byId("left-what"), entries, `painted ${list.network}`);
  choices(byId("right-what"), entries, "truth");
  viewer.flip = 1;
  showSlider();
  showFlip();
  showError();
  showFlow();
  showPlayback();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) startFlip();
}

function openViewer(sample) {
  viewer.sample = sample;
  dialog.showModal();
  showSample();
}

function move(by) {
  const rows = sorted();
  viewer.sample = rows[(rows.indexOf(viewer.sample) + by + rows.length) % rows.length];
  showSample();
  dialog.scrollTop = 0;
}

/* The wheel of directions, drawn as Middlebury's: 55 hues around, paler to the middle. */

function drawWheel() {
  const corners = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]];
  const between = [15, 6, 4, 11, 13, 6];
  const hues = between.flatMap((count, at) => Array.from({ length: count }, (_, step) =>
    corners[at].map((part, channel) => part + (corners[(at + 1) % 6][channel] - part) * (step / count))));
  const canvas = byId("wheel");
  const context = canvas.getContext("2d");
  const radius = canvas.width / 2;
  const image = context.createImageData(canvas.width, canvas.width);
  for (let row = 0; row < canvas.width; row += 1) {
    for (let column = 0; column < canvas.width; column += 1) {
      const [x, y] = [(column - radius) / radius, (row - radius) / radius];
      const length = Math.hypot(x, y);
      if (length > 1) continue;
      const place = ((Math.atan2(-y, -x) / Math.PI + 1) / 2) * (hues.length - 1);
      const hue = hues[Math.round(place) % hues.length];
      const color = hue.map((part) => 255 * (1 - length * (1 - part)));
      image.data.set([...color, 255], 4 * (row * canvas.width + column));
    }
  }
  context.putImageData(image, 0, 0);
}

/* What people do */

function dragSplit(event) {
  const box = event.currentTarget.getBoundingClientRect();
  byId("split").value = (100 * (event.clientX - box.left)) / box.width;
  showSplit();
}

function nextTheme() {
  const root = document.documentElement;
  const order = ["system", "dark", "light"];
  const theme = order[(order.indexOf(root.dataset.theme ?? "system") + 1) % order.length];
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
}

function listen() {
  byId("theme").onclick = nextTheme;
  byId("more").onclick = () => { list.all = !list.all; showSamples(); };
  byId("network").onchange = (event) => { list.network = event.target.value; showSamples(); };
  byId("close").onclick = () => dialog.close();
  dialog.onclose = () => { stopFlip(); stopBoth(); };
  byId("previous").onclick = () => move(-1);
  byId("next").onclick = () => move(1);
  dialog.onkeydown = (event) => {
    if (event.target.matches("input, select")) return;
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  };
  byId("split").oninput = showSplit;
  byId("left-what").onchange = showSlider;
  byId("right-what").onchange = showSlider;
  const stack = document.querySelector("#slider .stack");
  stack.onpointerdown = (event) => { stack.setPointerCapture(event.pointerId); dragSplit(event); };
  stack.onpointermove = (event) => { if (stack.hasPointerCapture(event.pointerId)) dragSplit(event); };
  byId("play").onclick = () => (viewer.timer ? stopFlip() : startFlip());
  byId("step").onclick = () => { stopFlip(); stepFlip(); };
  byId("speed").oninput = () => { if (viewer.timer) startFlip(); };
  byId("flow-what").onchange = showFlow;
  byId("play-both").onclick = playBoth;
  paintedVideo.ontimeupdate = keepTogether;
  byId("position").oninput = (event) => {
    paintedVideo.currentTime = event.target.value * paintedVideo.duration;
    truthVideo.currentTime = paintedVideo.currentTime;
  };
  byId("rate").onchange = (event) => {
    paintedVideo.playbackRate = truthVideo.playbackRate = event.target.value;
  };
}

showSummary();
choices(byId("network"), summary.contestants.map((one) => [one.label, one.label]), list.network);
byId("network").parentElement.hidden = summary.contestants.length < 2;
showSamples();
showSplit();
drawWheel();
listen();
