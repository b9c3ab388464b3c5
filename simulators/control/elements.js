// Making elements: bilingual text, buttons, drawings. No inline style: the content policy refuses it.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children);
  return made;
}

// A word pair as text: Chinese, then its English, smaller.
export function both([zh, en]) {
  const text = document.createDocumentFragment();
  text.append(zh);
  if (en && en !== zh) text.append(" ", element("span", { lang: "en" }, en));
  return text;
}

export function button(words, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, both(words));
}

// A set of buttons of which one is pressed. `show(value)` presses it.
export function choice(label, values, wordsOf, choose) {
  const made = values.map((value) => button(wordsOf(value), () => choose(value), { "data-value": value }));
  const box = element("div", { class: "choice", role: "group", "aria-label": label.join(" ") }, ...made);
  const show = (value) => {
    for (const one of made) one.setAttribute("aria-pressed", String(one.dataset.value === value));
  };
  return { box, show };
}

const DRAWINGS = {
  contact: '<circle cx="5" cy="12" r="2.4"/><circle cx="35" cy="12" r="2.4"/><path d="M0 12h3M37 12h3"/><path class="lever" d="M5 12H33"/>',
  lock: '<path class="shackle" d="M8 11V7a4 4 0 0 1 8 0v4"/><rect x="5" y="11" width="14" height="10" rx="1.5"/>',
  plug: '<path d="M9 3v6M15 3v6"/><path d="M6 9h12v3a6 6 0 0 1-12 0z"/><path class="cord" d="M12 18v5"/><path class="slash" d="M3 21L21 3"/>',
  antenna: '<path d="M20 60V24M8 60h24"/><circle cx="20" cy="22" r="3"/><path class="waves" d="M11 32a14 14 0 0 1 0-20M29 32a14 14 0 0 0 0-20M5 38a23 23 0 0 1 0-32M35 38a23 23 0 0 0 0-32"/>',
  reader: '<rect x="6" y="2" width="28" height="58" rx="5"/><circle class="lamp" cx="20" cy="11" r="3"/><path d="M13 27a10 10 0 0 1 14 0M16 31a6 6 0 0 1 8 0M19 35h2"/>',
  modem: '<rect x="2" y="34" width="48" height="22" rx="3"/><path d="M42 34V8"/><circle cx="42" cy="6" r="2.5"/><path class="waves" d="M34 12a10 10 0 0 1 0-12M50 12a10 10 0 0 0 0-12"/><path d="M9 45h3M16 45h3M23 45h3"/>',
  camera: '<rect x="3" y="14" width="38" height="20" rx="4"/><circle cx="34" cy="24" r="5"/><path d="M41 20l9-5v18l-9-5M16 34v8h-8"/>',
};
const SIZES = {
  contact: "40 24", lock: "24 24", plug: "24 24", antenna: "40 62", reader: "40 62", modem: "54 58", camera: "54 44",
};

export function drawing(name) {
  const parsed = document.createElement("template");
  parsed.innerHTML = `<svg viewBox="0 0 ${SIZES[name]}" class="drawing of-${name}" aria-hidden="true">${DRAWINGS[name]}</svg>`;
  return parsed.content.firstChild;
}
