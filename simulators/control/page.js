// The control page: draws what GET /layout describes, follows GET /record, posts what is clicked.

const RECORD_EVERY_MS = 300;
const LAYOUT_EVERY_MS = 3000;
const CHANGES_SHOWN = 60;
const FAULT_SHOWN_MS = 4000;

const WORDS = {
  open: ["开", "open"], closed: ["关", "closed"],
  present: ["在", "present"], absent: ["不在", "absent"],
  ok: ["正常", "clear"], covered: ["遮挡", "covered"], dark: ["黑暗", "dark"],
};
const KINDS = { door: ["门", "door"], lock: ["锁", "lock"], item: ["案卷", "dossier"], picture: ["画面", "picture"] };
const OTHER = { id: "", name: { zh: "其他设备", en: "Other devices" }, rooms: [] };

const points = new Map();    // id → {value, values}
const watchers = new Map();  // id → functions that redraw
const names = new Map();     // station or room id → {zh, en}
let lastN = 0;
let drawnLayout = "";
let faultUntilMs = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const english = (text) => element("span", { lang: "en" }, text);

async function ask(path, body) {
  const options = body && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.message);
  return content;
}

function say(text, isFault) {
  const link = document.getElementById("link");
  link.textContent = text;
  link.classList.toggle("fault", Boolean(isFault));
}

async function act(path, body) {
  try {
    await ask(path, body);
    await follow();
  } catch (fault) {
    faultUntilMs = Date.now() + FAULT_SHOWN_MS;
    say(String(fault.message), true);
  }
}

const setPoint = (id, value) => act(`/points/${encodeURIComponent(id)}`, { value });

function flip(id) {
  const { value, values } = points.get(id);
  return setPoint(id, values[(values.indexOf(value) + 1) % values.length]);
}

function watch(id, redraw) {
  if (!watchers.has(id)) watchers.set(id, []);
  watchers.get(id).push(redraw);
  if (points.has(id)) redraw(points.get(id).value);
}

function take(id, value) {
  const point = points.get(id);
  if (point) point.value = value;
  for (const redraw of watchers.get(id) ?? []) redraw(value);
}

// "liuxu.int1.door" → 讯问室一; "liuxu.cab1.s03.lock" → cab1.s03
function placeName(id) {
  const room = id.slice(0, id.lastIndexOf("."));
  return names.get(room) ?? { zh: room.split(".").slice(1).join("."), en: "" };
}

function powerSwitch(device) {
  const label = device.online ? ["在线", "online"] : ["断开", "offline"];
  return element("button", {
    class: `power ${device.online ? "on" : "off"}`, type: "button", "aria-pressed": String(device.online),
    title: "断开或接回设备 Take the device away or bring it back",
    onclick: () => act(`/devices/${device.id}`, { online: !device.online }).then(drawLayout),
  }, element("i"), `${label[0]} `, english(label[1]));
}

function caption(title, device) {
  return element("div", { class: "caption" },
    element("strong", {}, title), element("code", {}, device.address), powerSwitch(device));
}

function terminal(number, id) {
  if (!id) return element("div", { class: "terminal free" }, element("i", { class: "led" }), element("b", {}, number));
  const place = placeName(id);
  const button = element("button", { class: "terminal", type: "button", title: id, onclick: () => flip(id) },
    element("i", { class: "led" }), element("b", {}, number),
    element("span", { class: "place" }, place.zh), element("em", {}));
  watch(id, (value) => {
    button.classList.toggle("active", value === "open");
    button.setAttribute("aria-label", `${place.zh} ${place.en} ${WORDS[value].join(" ")}`);
    button.querySelector("em").replaceChildren(`${WORDS[value][0]} `, english(WORDS[value][1]));
  });
  return button;
}

function moduleBox(module) {
  const terminals = [];
  for (let n = 0; n < module.channels; n += 1) terminals.push(terminal(String(n), module.inputs[n]));
  return element("section", { class: `device module ${module.online ? "" : "away"}` },
    caption(`${module.map.toUpperCase()} · ${module.id} · 地址 unit ${module.unit}`, module),
    element("div", { class: "terminals" }, ...terminals));
}

function slot({ lock, item }, number) {
  const leaf = element("button", { class: "leaf", type: "button", title: lock, onclick: () => flip(lock) });
  const dossier = element("button", { class: "dossier", type: "button", title: item, onclick: () => flip(item) });
  const box = element("div", { class: "slot" }, element("b", {}, String(number).padStart(2, "0")), dossier, leaf);
  watch(lock, (value) => {
    box.classList.toggle("open", value === "open");
    leaf.replaceChildren(`锁${WORDS[value][0]} `, english(value));
  });
  watch(item, (value) => {
    box.classList.toggle("empty", value === "absent");
    dossier.replaceChildren(`案卷${WORDS[value][0]} `, english(value === "present" ? "in" : "out"));
  });
  return box;
}

function cabinet(line) {
  return element("section", { class: `device cabinet ${line.online ? "" : "away"}` },
    caption(`8A · ${line.cabinet} · 板 boards ${line.boards.join("+")}`, line),
    element("div", { class: "slots" }, ...line.slots.map((entry, index) => slot(entry, index + 1))));
}

function camera(room) {
  const choices = points.get(room.picture).values.map((value) => element("button", {
    type: "button", "data-value": value, onclick: () => setPoint(room.picture, value),
  }, `${WORDS[value][0]} `, english(WORDS[value][1])));
  const lens = element("div", { class: "lens" }, element("i"));
  const tile = element("div", { class: "camera", title: room.picture }, lens,
    element("span", { class: "place" }, room.name.zh, " ", english(room.name.en)),
    element("div", { class: "choices" }, ...choices));
  watch(room.picture, (value) => {
    tile.dataset.state = value;
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.value === value));
  });
  return tile;
}

function cameraBox(cameras, rooms) {
  return element("section", { class: `device cameras ${cameras.online ? "" : "away"}` },
    caption("摄像机 Cameras", cameras), element("div", { class: "tiles" }, ...rooms.map(camera)));
}

function stationSection(station, layout) {
  const isHere = (id) => station.id
    ? id.startsWith(`${station.id}.`)
    : !layout.stations.some((known) => id.startsWith(`${known.id}.`));
  const filmed = station.rooms.filter((room) => room.picture);
  const boxes = [
    ...layout.modules.filter((module) => isHere(Object.values(module.inputs)[0] ?? "")).map(moduleBox),
    ...layout.lock_lines.filter((line) => isHere(line.cabinet)).map(cabinet),
    ...(filmed.length ? [cameraBox(layout.cameras, filmed)] : []),
  ];
  return boxes.length ? [element("article", { class: "station" },
    element("h2", {}, `${station.name.zh} `, english(station.name.en)), ...boxes)] : [];
}

async function drawLayout() {
  const layout = await ask("/layout");
  if (JSON.stringify(layout) === drawnLayout) return;
  drawnLayout = JSON.stringify(layout);
  for (const { id, name, rooms } of layout.stations) {
    names.set(id, name);
    for (const room of rooms) names.set(room.id, room.name);
  }
  watchers.clear();
  const sections = [...layout.stations, OTHER].flatMap((station) => stationSection(station, layout));
  document.getElementById("stations").replaceChildren(...sections);
}

function changeLine({ at_ms: atMs, point, value }) {
  const place = placeName(point);
  const station = names.get(point.split(".")[0])?.zh ?? "";
  const kind = KINDS[point.slice(point.lastIndexOf(".") + 1)];
  return element("li", { "data-value": value, title: point },
    element("time", {}, new Date(atMs).toLocaleTimeString("zh-CN", { hour12: false })),
    element("span", {}, `${station} ${place.zh} ${kind[0]}${WORDS[value][0]} `, english(`${point} ${value}`)));
}

async function follow() {
  const { changes } = await ask(`/record?after=${lastN}`);
  const fresh = changes.filter((change) => change.n > lastN);
  if (!fresh.length) return;
  lastN = fresh.at(-1).n;
  for (const { point, value } of fresh) take(point, value);
  const list = document.getElementById("changes");
  list.prepend(...fresh.slice(-CHANGES_SHOWN).reverse().map(changeLine));
  while (list.children.length > CHANGES_SHOWN) list.lastChild.remove();
}

async function begin() {
  const { changes } = await ask("/record");
  for (const point of (await ask("/points")).points) points.set(point.id, point);
  drawnLayout = "";
  await drawLayout();
  document.getElementById("changes").replaceChildren();
  lastN = Math.max(0, (changes.at(-1)?.n ?? 0) - CHANGES_SHOWN);
}

// Follows for ever; after a fault the page begins anew.
async function stayConnected() {
  let isBegun = false;
  for (;;) {
    try {
      if (!isBegun) await begin();
      isBegun = true;
      await follow();
      if (Date.now() > faultUntilMs) say("已连接 connected");
    } catch {
      isBegun = false;
      say("模拟器没有应答 no answer from the simulators", true);
    }
    await new Promise((done) => setTimeout(done, RECORD_EVERY_MS));
  }
}

stayConnected();
setInterval(() => drawLayout().catch(() => {}), LAYOUT_EVERY_MS);
