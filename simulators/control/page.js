// The control page: draws what GET /layout describes, keeps it up to date, posts what is clicked.

import { drawDevice, drawLens } from "./devices.js";
import { both, drawing, element } from "./elements.js";
import { forgetChanges, showAbnormal, showCables, showChanges } from "./overview.js";
import { act, afterActs, ask, learnPoints, take } from "./site.js";
import { faultPanel, framePanel, learnFaultKinds } from "./wire.js";
import { PROTOCOLS, learnNames } from "./words.js";

const RECORD_EVERY_MS = 300;
const FRAMES_EVERY_MS = 500;
const LAYOUT_EVERY_MS = 1500;
const LOOK_EVERY_MS = 2000;
const CHANGES_KEPT = 60;
const COUNTY = { id: "", name: { zh: "全县共用", en: "Whole county" }, rooms: [] };

let lastN = 0;
let cables = [];      // as the last layout had them, the cameras among them
let faults = [];      // active ones
let drawn = "";       // the layout that is drawn, without what changes
const cards = new Map();    // cable id → {showOnline, showFaults, refreshes}
const inView = new Set();   // cable ids whose card can be seen

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inView.add(target.dataset.cable);
    else inView.delete(target.dataset.cable);
  }
});

function plug(cable) {
  const state = element("span");
  const made = element("button", { type: "button", class: "plug", onclick: () => {
    const isOnline = made.getAttribute("aria-pressed") === "true";
    return act(`/cables/${encodeURIComponent(cable.id)}`, { online: !isOnline });
  } }, drawing("plug"), state);
  const show = (isOnline) => {
    made.setAttribute("aria-pressed", String(isOnline));
    made.setAttribute("aria-label", `${cable.id} 插头 plug: ${isOnline ? "已插好 plugged in" : "已拔下 unplugged"}`);
    state.replaceChildren(both(isOnline ? ["已插好", "plugged in"] : ["✕ 已拔下", "unplugged"]));
  };
  return { made, show };
}

function cardHead(cable, switchButton) {
  const baud = cable.baud ? [element("span", { class: "baud" }, `${cable.baud} bit/s`)] : [];
  return element("header", {}, element("h3", {}, cable.id),
    element("span", { class: "speaks" }, both(PROTOCOLS[cable.speaks] ?? [`协议 ${cable.speaks}`, cable.speaks])),
    element("code", { title: "地址 address" }, cable.address), ...baud, switchButton);
}

function drawCard(cable, inside, wire) {
  const { made, show } = plug(cable);
  const card = element("section", { class: "cable", "data-cable": cable.id, tabindex: "-1", "aria-label": `${cable.id} 线路 cable` },
    cardHead(cable, made), element("div", { class: "devices" }, ...inside), ...wire);
  const showOnline = (isOnline) => { show(isOnline); card.classList.toggle("unplugged", !isOnline); };
  showOnline(cable.online);
  seen.observe(card);
  return { card, showOnline };
}

function cableCard(cable) {
  const devices = cable.devices.map(drawDevice);
  const frames = framePanel(cable);
  const switches = cable.has_faults ? faultPanel(cable) : null;
  const { card, showOnline } = drawCard(cable, devices.map(({ box }) => box),
    [element("div", { class: "wire" }, frames.box, ...(switches ? [switches.box] : []))]);
  cards.set(cable.id, {
    showOnline,
    showFaults: (active) => { switches?.show(active); card.classList.toggle("faulted", active.length > 0); },
    refreshes: [frames.refresh, ...devices.flatMap(({ refresh }) => refresh ?? [])],
  });
  return card;
}

function cameraCard(cameras, stations) {
  const looks = [];
  const lens = (room) => {
    const { tile, look } = drawLens(room);
    looks.push(look);
    return tile;
  };
  let lookedMs = 0;
  const refresh = async () => {
    if (!cameras.online || Date.now() - lookedMs < LOOK_EVERY_MS) return;
    lookedMs = Date.now();
    for (const look of looks) look();
  };
  const groups = stations.flatMap((station) => {
    const filmed = station.rooms.filter((room) => room.picture);
    return filmed.length ? [element("h4", {}, both([station.name.zh, station.name.en])),
      element("div", { class: "lenses" }, ...filmed.map(lens))] : [];
  });
  const { card, showOnline } = drawCard({ speaks: "rtsp", ...cameras }, groups, []);
  card.classList.add("wide");
  cards.set(cameras.id, { showOnline, showFaults: () => {}, refreshes: [refresh] });
  return card;
}

// All points of a cable's devices.
const wired = (cable) => cable.devices.flatMap((device) => [
  ...Object.values(device.wires ?? {}),
  ...(device.slots ?? []).flatMap(({ lock, item }) => [lock, item]),
  ...(device.tags ?? []).map(({ point }) => point),
].filter(Boolean));

function stationOf(cable, stations) {
  if (stations.length === 1) return stations[0];
  const [point = ""] = wired(cable);
  return stations.find(({ id }) => point.startsWith(`${id}.`) || (!point && cable.id.startsWith(`${id}-`))) ?? COUNTY;
}

function drawStations({ stations, cables: drawnCables, cameras }) {
  const shared = stations.length === 1 ? stations[0] : COUNTY;
  const sections = [...stations, COUNTY].flatMap((station) => {
    const boxes = drawnCables.filter((cable) => stationOf(cable, stations) === station).map(cableCard);
    if (cameras && station === shared) boxes.push(cameraCard(cameras, stations));
    return boxes.length ? [element("article", { class: "station" },
      element("h2", {}, both([station.name.zh, station.name.en])), ...boxes)] : [];
  });
  document.getElementById("stations").replaceChildren(...sections);
}

// Draws anew only what is built differently; plugs and faults change in place, so the focus stays.
async function refreshLayout() {
  const layout = await ask("/layout");
  const told = await ask("/faults");
  const { active } = told;
  const shape = JSON.stringify([layout, told.kinds], (key, value) => (key === "online" ? undefined : value));
  if (shape !== drawn) {
    learnNames(layout.stations);
    learnFaultKinds(told.kinds);
    learnPoints((await ask("/points")).points);
    seen.disconnect();
    inView.clear();
    cards.clear();
    drawStations(layout);
    drawn = shape;
  }
  cables = [...layout.cables, ...(layout.cameras ? [layout.cameras] : [])];
  faults = active;
  for (const cable of cables) {
    const card = cards.get(cable.id);
    card.showOnline(cable.online);
    card.showFaults(faults.filter((fault) => fault.cable === cable.id));
  }
  showCables(cables, faults);
  showAbnormal(cables, faults);
}

async function followRecord() {
  const { changes } = await ask(`/record?after=${lastN}`);
  const fresh = changes.filter((change) => change.n > lastN);
  if (!fresh.length) return;
  lastN = fresh.at(-1).n;
  for (const { point, value } of fresh) take(point, value);
  showChanges(fresh);
  showAbnormal(cables, faults);
}

async function refreshWires() {
  for (const id of [...inView]) {
    for (const refresh of cards.get(id)?.refreshes ?? []) await refresh();
  }
}

async function begin() {
  const { changes } = await ask("/record");
  drawn = "";
  await refreshLayout();
  forgetChanges();
  lastN = Math.max(0, (changes.at(-1)?.n ?? 0) - CHANGES_KEPT);
}

function say(isConnected) {
  document.body.classList.toggle("lost", !isConnected);
  const text = isConnected ? "● 已连接 connected" : "✕ 模拟器没有应答，所见已旧 no answer from the simulators: this is old";
  const link = document.getElementById("link");
  if (link.textContent !== text) link.textContent = text;
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Follows for ever; after a lost connection the page begins anew.
async function stayConnected() {
  let isBegun = false;
  for (;;) {
    try {
      if (!isBegun) await begin();
      isBegun = true;
      await followRecord();
      say(true);
    } catch {
      isBegun = false;
      say(false);
    }
    await pause(RECORD_EVERY_MS);
  }
}

async function repeat(refresh, everyMs) {
  for (;;) {
    await pause(everyMs);
    if (cards.size) await refresh().catch(() => {});  // a lost connection is stayConnected's to tell
  }
}

afterActs(() => { followRecord().catch(() => {}); refreshLayout().catch(() => {}); });
stayConnected();
repeat(refreshLayout, LAYOUT_EVERY_MS);
repeat(refreshWires, FRAMES_EVERY_MS);
