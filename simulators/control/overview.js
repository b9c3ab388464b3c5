// The top of the page: every cable at a glance, and all that is not as it should be.

import { both, element } from "./elements.js";
import { notAtRest } from "./site.js";
import { activeWords } from "./wire.js";
import { VALUES, clockTime, pointKind, pointWords } from "./words.js";

const CHANGES_SHOWN = 60;
const POINTS_SHOWN = 12;

// Go to something on the page: seen, and with the focus on it.
function goTo(selector) {
  const found = document.querySelector(selector);
  if (!found) return;
  found.scrollIntoView({ block: "center" });
  const target = found.matches("button, [tabindex]") ? found : found.querySelector("button, [tabindex]");
  target?.focus({ preventScroll: true });
}

const goToCable = (id) => goTo(`[data-cable="${CSS.escape(id)}"]`);

// Keeps the chips that are the same, and the focus with them.
function showChips(list, wanted) {
  const old = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = wanted.map(({ key, sign, words, kind, go }) => {
    const text = `${sign} ${words.join(" ")}`;
    const kept = old.get(key);
    if (kept?.dataset.text === text) return kept;
    const chip = element("button", { type: "button", class: `chip ${kind}`, onclick: go }, `${sign} `, both(words));
    return element("li", { "data-key": key, "data-text": text }, chip);
  });
  const isSame = items.length === list.children.length && items.every((item, n) => item === list.children[n]);
  if (isSame) return;
  const focused = document.activeElement;
  list.replaceChildren(...items);
  if (list.contains(focused)) focused.focus({ preventScroll: true });
}

export function showCables(cables, active) {
  showChips(document.getElementById("cables"), cables.map((cable) => {
    const faults = active.filter((fault) => fault.cable === cable.id).length;
    const [sign, kind] = !cable.online ? ["✕", "unplugged"] : faults ? ["⚠", "faulted"] : ["●", "good"];
    return { key: cable.id, sign, kind, words: [cable.id, ""], go: () => goToCable(cable.id) };
  }));
}

export function showAbnormal(cables, active) {
  const moved = notAtRest();
  const unplugged = cables.filter((cable) => !cable.online);
  const chips = [
    ...active.map((fault) => ({ key: `fault ${fault.cable} ${fault.id}`, sign: "⚠", kind: "faulted",
      words: activeWords(fault).map((text) => `${fault.cable}: ${text}`),
      go: () => goToCable(fault.cable) })),
    ...unplugged.map(({ id }) => ({ key: `cable ${id}`, sign: "✕", kind: "unplugged",
      words: [`${id} 已拔下`, "unplugged"], go: () => goToCable(id) })),
    ...moved.slice(0, POINTS_SHOWN).map(({ id, value }) => ({ key: id, sign: "▲", kind: "moved",
      words: pointWords(id, value), go: () => goTo(`[data-point="${CSS.escape(id)}"]`) })),
  ];
  showChips(document.getElementById("abnormal-list"), chips);
  document.getElementById("abnormal").classList.toggle("quiet", !chips.length);
  const more = moved.length - POINTS_SHOWN;
  document.getElementById("abnormal-sum").replaceChildren(both(chips.length
    ? [`故障 ${active.length} 个，拔下 ${unplugged.length} 条，不在常态 ${moved.length} 点${more > 0 ? `（${more} 点未列）` : ""}`,
      `${active.length} faults, ${unplugged.length} unplugged, ${moved.length} points not at rest${more > 0 ? ` (${more} not listed)` : ""}`]
    : ["✓ 一切正常", "nothing abnormal"]));
}

const REST = new Set(["closed", "present", "ok", "quiet", "sound"]);

function changeLine({ at_ms: atMs, point, value }) {
  return element("li", { class: REST.has(value) ? "" : "off-rest", title: point },
    element("time", {}, clockTime(atMs)),
    element("span", {}, REST.has(value) ? "" : "▲ ", both(pointWords(point, value))));
}

export function showChanges(fresh) {
  const known = fresh.filter(({ point, value }) => VALUES[value] && pointKind(point));
  if (!known.length) return;
  const list = document.getElementById("changes");
  list.prepend(...known.slice(-CHANGES_SHOWN).reverse().map(changeLine));
  while (list.children.length > CHANGES_SHOWN) list.lastChild.remove();
  const { at_ms: atMs, point, value } = known.at(-1);
  document.getElementById("newest").replaceChildren(`${clockTime(atMs)} `, both(pointWords(point, value)));
}

export function forgetChanges() {
  document.getElementById("changes").replaceChildren();
  document.getElementById("newest").replaceChildren();
}
