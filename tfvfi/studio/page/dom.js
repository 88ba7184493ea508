// Finding and making elements. Text only ever enters the page as text, never as HTML.

export const find = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.includes('-') || name === 'for') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

export function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => make('option', { value, textContent: text })));
  if (chosen !== undefined && pairs.some(([value]) => value === chosen)) select.value = chosen;
}

export const checked = (name) => find(`input[name="${name}"]:checked`).value;

export function show(element, visible = true) {
  element.hidden = !visible;
}

export const seconds = (value) => `${value.toFixed(2)} s`;

export function span(total) {
  if (total < 60) return `${Math.max(1, Math.round(total))} s`;
  const minutes = Math.round(total / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function size(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes ? Math.floor(Math.log10(bytes) / 3) : 0);
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

// Sentences of the library begin in lower case and put arguments in backticks.
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1).replaceAll('`', '') : '');
