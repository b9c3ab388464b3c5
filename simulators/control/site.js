// What the simulated site is now, as the server told us: points and their values; and how to change it.

const FAULT_SHOWN_MS = 6000;

const points = new Map();    // id → {id, value, values}; the first of values is the state of rest
const watchers = new Map();  // id → functions that redraw
let whenChanged = () => {};

export async function ask(path, body) {
  const options = body && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.message);
  return content;
}

let sayNoMore = 0;

// Do what a hand asked for; a refusal is told, and false comes back.
export async function act(path, body) {
  try {
    await ask(path, body);
    whenChanged();
    return true;
  } catch (fault) {
    const box = document.getElementById("refusal");
    box.replaceChildren(`✕ 没有做成 not done: ${fault.message}`);
    box.hidden = false;
    clearTimeout(sayNoMore);
    sayNoMore = setTimeout(() => { box.hidden = true; }, FAULT_SHOWN_MS);
    return false;
  }
}

// `react` is called after everything that a hand did.
export function afterActs(react) { whenChanged = react; }

export const hasPoint = (id) => points.has(id);
export const valuesOf = (id) => points.get(id).values;

// Shown at once, so that a second press at the same moment means the value after it.
export async function setPoint(id, value) {
  const before = points.get(id).value;
  take(id, value);
  if (!await act(`/points/${encodeURIComponent(id)}`, { value })) take(id, before);
}

export function flip(id) {
  const { value, values } = points.get(id);
  return setPoint(id, values[(values.indexOf(value) + 1) % values.length]);
}

export const notAtRest = () => [...points.values()].filter(({ value, values }) => value !== values[0]);

export function watch(id, redraw) {
  if (!watchers.has(id)) watchers.set(id, []);
  watchers.get(id).push(redraw);
  redraw(points.get(id).value);
}

export function take(id, value) {
  const point = points.get(id);
  if (!point) return;
  point.value = value;
  for (const redraw of watchers.get(id) ?? []) redraw(value);
}

export function learnPoints(list) {
  points.clear();
  watchers.clear();
  for (const point of list) points.set(point.id, point);
}
