// What runs on one cable: its last frames in words, and the switches that spoil them.

import { both, button, element } from "./elements.js";
import { act, ask } from "./site.js";
import { clockTimeMs } from "./words.js";

const FRAMES_SHOWN = 200;
const FAULTED_KEPT = 60;  // on top of those: a spoiled frame is not to be washed away by sound ones
const NEAR_END_PX = 24;

let kinds = [];  // {kind, zh, en, of_line}

export function learnFaultKinds(list) { kinds = list; }

const isOfLine = (kind) => kinds.find((known) => known.kind === kind)?.of_line ?? false;

export function faultWords(kind) {
  const known = kinds.find((one) => one.kind === kind);
  return known ? [known.zh, known.en] : [kind, kind];
}

function frameRow(frame) {
  const signs = frame.faults.map((kind) => element("span", { class: "fault-sign" }, "⚠ ", both(faultWords(kind))));
  const way = frame.from_host ? ["→", "主机发出 from the host"] : ["←", "设备应答 from the device"];
  return element("li", { class: `${frame.from_host ? "out" : "back"}${signs.length ? " faulted" : ""}`, "data-n": frame.n },
    element("time", {}, clockTimeMs(frame.at_ms)),
    element("span", { class: "way", title: way[1] }, way[0]),
    element("span", { class: "unit", title: "单元 unit" }, `u${frame.unit}`),
    element("span", { class: "said" }, ...signs, element("span", { class: "text" }, frame.text),
      element("code", {}, frame.hex)));
}

export function framePanel(cable) {
  const list = element("ol", { class: "frames", tabindex: "0", role: "log", "aria-live": "off",
    "aria-label": `${cable.id} 最近报文 last frames` });
  let lastN = 0;
  let followsEnd = true;  // until somebody scrolls back
  list.addEventListener("scroll", () => {
    followsEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
  });
  const hold = element("button", { type: "button", "aria-pressed": "false", onclick: () => {
    hold.setAttribute("aria-pressed", String(hold.getAttribute("aria-pressed") !== "true"));
    if (hold.getAttribute("aria-pressed") === "false") list.scrollTop = list.scrollHeight;
  } }, both(["暂停", "hold"]));
  const only = element("input", { type: "checkbox", onchange: () => {
    list.classList.toggle("only-faulted", only.checked);
    list.scrollTop = list.scrollHeight;
  } });
  const box = element("div", { class: "frame-panel" },
    element("div", { class: "bar" }, element("h4", {}, both(["线上报文", "frames on the wire"])),
      element("label", {}, only, both(["只看坏帧", "faulted only"])), hold), list);

  async function refresh() {
    if (hold.getAttribute("aria-pressed") === "true") return;
    const { frames } = await ask(`/frames?cable=${encodeURIComponent(cable.id)}&after=${lastN}`);
    const fresh = frames.filter((frame) => frame.n > lastN);
    if (!fresh.length) return;
    lastN = fresh.at(-1).n;
    list.append(...fresh.map(frameRow));
    for (const [kept, rows] of [[FRAMES_SHOWN, ":not(.faulted)"], [FAULTED_KEPT, ".faulted"]]) {
      const found = list.querySelectorAll(`li${rows}`);
      for (let n = 0; n < found.length - kept; n += 1) found[n].remove();
    }
    if (followsEnd) list.scrollTop = list.scrollHeight;
  }
  return { box, refresh };
}

function often(fault) {
  if (fault.every > 1) return [`每 ${fault.every} 帧一次`, `every ${fault.every} frames`];
  const percent = Number((fault.p * 100).toFixed(1));
  if (fault.every === 0 && fault.p < 1) return [`概率 ${percent} %`, `chance ${percent} %`];
  return ["每一帧", "every frame"];
}

export function activeWords(fault) {
  const [kind, how] = [faultWords(fault.kind), often(fault)];
  if (isOfLine(fault.kind)) return kind.map((word, side) => [word, ["整条线，直到恢复", "whole line, until healed"][side]].join(side ? ", " : "，"));
  const own = { late: [`${fault.ms} 毫秒`, `${fault.ms} ms`], exception: [`代码 ${fault.code}`, `code ${fault.code}`] }[fault.kind];
  const unit = fault.unit === null ? ["所有单元", "all units"] : [`单元 ${fault.unit}`, `unit ${fault.unit}`];
  const left = fault.count ? [`还剩 ${fault.left} 次`, `${fault.left} left`] : ["直到恢复", "until healed"];
  return [0, 1].map((side) => [kind, ...(own ? [own] : []), unit, how, left].map((words) => words[side]).join(side ? ", " : "，"));
}

function numberField(words, after, attributes) {
  const input = element("input", { type: "number", required: true, ...attributes, "aria-label": words.join(" ") });
  return [input, element("label", {}, both(words), input, both(after))];
}

const KIND_GROUPS = [["应答 of replies", false], ["整条线 of the whole line", true]];

function kindChoice(cable, onchange) {
  return element("select", { name: "kind", "aria-label": "故障种类 kind of fault", onchange },
    ...KIND_GROUPS.map(([label, ofLine]) => element("optgroup", { label },
      ...kinds.filter((one) => one.of_line === ofLine && cable.faults.includes(one.kind))
        .map(({ kind, zh, en }) => element("option", { value: kind }, `${zh} ${en}`)))));
}

// Only the fields that the chosen kind uses are shown, and only those are sent.
function injectForm(cable, units) {
  const kind = kindChoice(cable, () => showFields());
  const unit = element("select", { name: "unit", "aria-label": "哪个单元 which unit" },
    element("option", { value: "" }, "所有单元 all units"),
    ...units.map((number) => element("option", { value: number }, `单元 unit ${number}`)));
  const [every, everyLabel] = numberField(["每", "every"], ["帧一次", "frames"], { name: "every", min: 1, max: 10000, value: 1 });
  const [count, countLabel] = numberField(["共", "in all"], ["次，0 为不限", "times, 0: until healed"],
    { name: "count", min: 0, max: 10000, value: 0 });
  const [chance, chanceLabel] = numberField(["概率", "chance"], ["%", ""], { name: "p", min: 0.1, max: 100, step: 0.1, value: 100 });
  const [ms, msLabel] = numberField(["迟", "late by"], ["毫秒", "ms"], { name: "ms", min: 0, max: 60000, value: 600 });
  const [code, codeLabel] = numberField(["异常代码", "exception code"], ["", ""], { name: "code", min: 1, max: 11, value: 4 });
  function showFields() {
    const ofReplies = !isOfLine(kind.value);
    unit.hidden = !ofReplies;
    for (const [label, isUsed] of [[everyLabel, ofReplies], [countLabel, ofReplies], [chanceLabel, ofReplies && every.value === "1"],
      [msLabel, kind.value === "late"], [codeLabel, kind.value === "exception"]]) {
      label.hidden = !isUsed;
      label.querySelector("input").disabled = !isUsed;
    }
  }
  function asked() {
    if (isOfLine(kind.value)) return {};
    const often = every.value === "1" ? { p: Number(chance.value) / 100 } : { every: Number(every.value) };
    return { ...often, count: Number(count.value), ...(unit.value && { unit: Number(unit.value) }),
      ...(kind.value === "late" && { ms: Number(ms.value) }), ...(kind.value === "exception" && { code: Number(code.value) }) };
  }
  every.addEventListener("input", showFields);
  showFields();
  return element("form", { class: "inject", onsubmit: (event) => {
    event.preventDefault();
    act("/faults", { cable: cable.id, kind: kind.value, ...asked() });
  } }, kind, unit, everyLabel, chanceLabel, countLabel, msLabel, codeLabel,
  element("button", { class: "inject-button" }, "⚡ ", both(["注入故障", "inject"])));
}

// The fault switches of a cable. `show` takes those active on it, and keeps the focus where it was.
export function faultPanel(cable) {
  const units = [...new Set(cable.devices.map((device) => device.unit))];
  const rows = new Map();  // id → element
  const list = element("ul", { class: "active-faults", "aria-label": `${cable.id} 正在生效的故障 active faults` });
  const form = injectForm(cable, units);
  const all = button(["全部恢复", "heal all"], async () => {
    if (await act("/faults/heal", { cable: cable.id })) form.querySelector("button").focus();
  }, { class: "heal-all" });
  const box = element("div", { class: "fault-panel" },
    element("div", { class: "bar" }, element("h4", {}, both(["故障开关", "fault switches"])), all), form, list);

  function row(fault) {
    const text = element("span");
    const heal = button(["恢复", "heal"], async () => {
      if (await act("/faults/heal", { cable: cable.id, id: fault.id })) form.querySelector("button").focus();
    });
    return element("li", { "data-fault": fault.kind }, "⚠ ", text, heal);
  }

  function show(active) {
    all.hidden = active.length < 2;
    for (const [id, old] of rows) {
      if (!active.some((fault) => fault.id === id)) { old.remove(); rows.delete(id); }
    }
    for (const fault of active) {
      if (!rows.has(fault.id)) { rows.set(fault.id, row(fault)); list.append(rows.get(fault.id)); }
      rows.get(fault.id).querySelector("span").replaceChildren(both(activeWords(fault)));
    }
  }
  show([]);
  return { box, show };
}
