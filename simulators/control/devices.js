// Each device drawn as the thing it is. Every function gives an element that keeps itself up to date.

import { both, button, choice, drawing, element } from "./elements.js";
import { act, ask, flip, hasPoint, setPoint, valuesOf, watch } from "./site.js";
import {
  DEVICE_KINDS, POINT_KINDS, TARGETS, VALUES, actWords, placeWords, pointKind, pointWords, scopeOf,
} from "./words.js";

const MESSAGES_SHOWN = 6;

function deviceTitle(device) {
  return element("h4", {}, both(DEVICE_KINDS[device.kind] ?? ["设备", "device"]), " ",
    element("b", {}, device.id),
    element("span", { class: "plate" }, `${device.make} · `, both([`单元 ${device.unit}`, `unit ${device.unit}`])));
}

// Buttons for what a hand can do. `jam lock:1` … `jam lock:12` become one choice of the lock and its acts.
function actRow(device, acts = device.acts) {
  const single = [];
  const grouped = new Map();  // "lock" → {numbers, verbs}
  for (const text of acts) {
    const [, verb, target, number] = /^(.+) ([a-z]+):(\d+)$/.exec(text) ?? [];
    if (!verb) { single.push(text); continue; }
    if (!grouped.has(target)) grouped.set(target, { numbers: new Set(), verbs: new Set() });
    grouped.get(target).numbers.add(number);
    grouped.get(target).verbs.add(verb);
  }
  const post = (text) => act(`/devices/${encodeURIComponent(device.id)}/acts`, { act: text });
  const row = element("div", { class: "acts", role: "group", "aria-label": `${device.id} 操作 acts` },
    ...single.map((text) => button(actWords(text), () => post(text), { "data-act": text })));
  for (const [target, { numbers, verbs }] of grouped) {
    const words = TARGETS[target] ?? [target, target];
    const select = element("select", { "aria-label": `${device.id} 选择${words[0]} choose ${words[1]}` },
      ...[...numbers].map((n) => element("option", { value: n }, `${words[0]} ${words[1]} ${n}`)));
    row.append(element("span", { class: "group" }, select,
      ...[...verbs].map((verb) => button(actWords(verb), () => post(`${verb} ${target}:${select.value}`), {
        "data-act": `${verb} ${target}`,
      }))));
  }
  return acts.length ? row : "";
}

// The wire and the tamper contact of a supervised door, where the plant has them.
function supervision(door) {
  const wire = `${scopeOf(door)}.wire`;
  const tamper = `${scopeOf(door)}.tamper`;
  const parts = [];
  if (hasPoint(wire)) {
    const { box, show } = choice([`${placeWords(door)[0]} 线路`, `${placeWords(door)[1]} wire`], valuesOf(wire),
      (value) => VALUES[value], (value) => setPoint(wire, value));
    box.dataset.point = wire;
    watch(wire, (value) => { show(value); box.classList.toggle("off-rest", value !== "sound"); });
    parts.push(element("span", { class: "of" }, both(POINT_KINDS.wire)), box);
  }
  if (hasPoint(tamper)) parts.push(pointButton(tamper));
  return parts.length ? [element("div", { class: "supervision" }, ...parts)] : [];
}

// A small button: what the point is, and what it is now.
function pointButton(point) {
  const made = element("button", { type: "button", class: "point", "data-point": point, title: point,
    onclick: () => flip(point) });
  watch(point, (value) => {
    const isAtRest = value === valuesOf(point)[0];
    made.classList.toggle("off-rest", !isAtRest);
    made.replaceChildren(isAtRest ? "" : "▲ ", both(POINT_KINDS[pointKind(point)].map((kind, side) =>
      `${kind}${side ? " " : ""}${VALUES[value][side]}`)));
    made.setAttribute("aria-label", pointWords(point, value).join(" "));
  });
  return made;
}

function terminal(number, point) {
  const head = () => [element("i", { class: "screw" }), element("b", {}, number), element("i", { class: "led" })];
  if (!point) {
    return element("div", { class: "terminal free" }, element("div", { class: "contact" },
      element("span", { class: "head" }, ...head()), element("span", { class: "place" }, both(["空", "free"]))));
  }
  const place = placeWords(point);
  const state = element("em");
  const contact = element("button", { type: "button", class: "contact", "data-point": point, title: point,
    onclick: () => flip(point) },
  element("span", { class: "head" }, ...head(), drawing("contact")),
  element("span", { class: "place" }, both(place)), state);
  const box = element("div", { class: "terminal" }, contact, ...(pointKind(point) === "door" ? supervision(point) : []));
  watch(point, (value) => {
    const isAtRest = value === valuesOf(point)[0];
    box.classList.toggle("active", !isAtRest);
    contact.setAttribute("aria-label", pointWords(point, value).join(" "));
    state.replaceChildren(isAtRest ? "" : "▲ ", `${POINT_KINDS[pointKind(point)][0]}${VALUES[value][0]} `,
      element("span", { lang: "en" }, VALUES[value][1]));
  });
  return box;
}

function moduleFront(device) {
  const terminals = Array.from({ length: device.channels }, (_, n) => terminal(String(n), device.wires[n]));
  return element("div", { class: "terminals" }, ...terminals);
}

// One slot. A board that only senses dossiers has no leaf; one that only locks shows the dossier all the same,
// as the other board senses it.
function slot({ lock, item: wired }, index) {
  const number = String(index + 1).padStart(2, "0");
  const sensed = wired ?? `${scopeOf(lock)}.item`;
  const item = hasPoint(sensed) ? sensed : null;
  const bay = element("div", { class: "bay" }, element("span", { class: "dossier" }, element("span", { class: "label" })));
  const state = element("span", { class: "state" }, element("b", {}, number));
  const box = element("div", { class: "slot" }, bay, state);
  if (lock) {
    const leaf = element("button", { type: "button", class: "leaf", "data-point": lock, title: lock,
      onclick: () => flip(lock) }, element("b", {}, number), element("i", { class: "window" }), drawing("lock"));
    bay.append(leaf);
    watch(lock, (value) => {
      box.classList.toggle("open", value === "open");
      leaf.setAttribute("aria-label", pointWords(lock, value).join(" "));
      state.replaceChildren(element("b", {}, number), value === "open" ? " ▲ " : " ",
        both([`锁${VALUES[value][0]}`, VALUES[value][1]]));
    });
  }
  if (item) {
    box.append(pointButton(item));
    watch(item, (value) => box.classList.toggle("empty", value === "absent"));
  } else box.classList.add("empty");
  return box;
}

const cabinetFront = (device) => element("div", { class: "slots" }, ...device.slots.map(slot));

function tagField(device) {
  const tags = device.tags.map(({ epc, point }) => {
    const state = element("em");
    const tag = element("button", { type: "button", class: "tag", "data-point": point, title: point,
      onclick: () => flip(point) },
    element("span", { class: "place" }, both(placeWords(point))),
    element("code", {}, epc.slice(0, -6), element("b", {}, epc.slice(-6))), state);
    watch(point, (value) => {
      tag.classList.toggle("away", value === "absent");
      state.replaceChildren(value === "absent" ? "▲ " : "", both(value === "absent"
        ? ["不在场内", "out of the field"] : ["在场内", "in the field"]));
      tag.setAttribute("aria-label", `${pointWords(point, value).join(" ")} ${epc}`);
    });
    return tag;
  });
  return element("div", { class: "field" }, drawing("antenna"), element("div", { class: "tags" }, ...tags));
}

function modemBox(device) {
  const list = element("ol", { class: "messages", tabindex: "0", "aria-label": "最近短信 last messages" });
  let shown = "";
  const refresh = async () => {
    const { lines } = await ask(`/devices/${encodeURIComponent(device.id)}/log`);
    if (JSON.stringify(lines) === shown) return;
    shown = JSON.stringify(lines);
    const last = lines.slice(-MESSAGES_SHOWN).map((line) => element("li", {}, line));
    list.replaceChildren(...(last.length ? last : [element("li", { class: "none" },
      both(["还没有短信", "no message yet"]))]));
    list.scrollTop = list.scrollHeight;
  };
  const box = element("div", { class: "modem-box" }, drawing("modem"), list);
  return { box, refresh };
}

function cardReader(device) {
  const cards = device.acts.filter((text) => text.split(" ")[0] === "card");
  const post = (text) => act(`/devices/${encodeURIComponent(device.id)}/acts`, { act: text });
  const front = drawing("reader");
  const hold = (text) => async () => {
    if (!await post(text)) return;
    front.classList.add("seen");
    setTimeout(() => front.classList.remove("seen"), 900);
  };
  return element("div", { class: "card-reader" }, front, element("div", { class: "cards" },
    ...cards.map((text) => button(actWords(text), hold(text), { class: "card", "data-act": text }))));
}

// A device's own element, and what has to be asked from time to time for it.
export function drawDevice(device) {
  const box = element("section", { class: `device ${device.kind}`, "data-device": device.id }, deviceTitle(device));
  let refresh = null;
  let acts = device.acts;
  if (device.kind === "module") box.append(moduleFront(device));
  else if (device.kind === "cabinet") box.append(cabinetFront(device));
  else if (device.kind === "reader") box.append(tagField(device));
  else if (device.kind === "camera") box.append(element("div", { class: "camera-box" }, drawing("camera")));
  else if (device.kind === "card_reader") {
    box.append(cardReader(device));
    acts = acts.filter((text) => text.split(" ")[0] !== "card");
  } else if (device.kind === "modem") {
    const modem = modemBox(device);
    box.append(modem.box);
    refresh = modem.refresh;
  }
  box.append(actRow(device, acts));
  return { box, refresh };
}

export function drawLens(room) {
  const { box, show } = choice([`${room.name.zh} 画面`, `${room.name.en} picture`], valuesOf(room.picture),
    (value) => VALUES[value], (value) => setPoint(room.picture, value));
  box.dataset.point = room.picture;
  const seen = element("img", { alt: "", hidden: true, onload: () => { seen.hidden = false; },
    onerror: () => { seen.hidden = true; } });
  const tile = element("div", { class: "lens-tile", title: room.picture },
    element("div", { class: "lens" }, element("i"), seen, element("em")),
    element("span", { class: "place" }, both([room.name.zh, room.name.en])), box);
  watch(room.picture, (value) => {
    tile.dataset.state = value;
    tile.querySelector("em").replaceChildren(value === "ok" ? "" : `▲ ${VALUES[value][0]}`);
    show(value);
    look();
  });
  function look() { seen.src = `/pictures/${encodeURIComponent(room.id)}?at=${Date.now()}`; }
  return { tile, look };
}
