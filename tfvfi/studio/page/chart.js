// A line chart in SVG with labelled axes.

const NAMESPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 600;
const HEIGHT = 180;
const MARGIN = { left: 48, right: 24, top: 12, bottom: 26 };

export function chart(points, label, total) {
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'chart' });
  const last = points.at(-1);
  svg.setAttribute('aria-label', last ? `${label}: ${last.value.toFixed(2)} at step ${last.step}` : label);
  const values = points.map((point) => point.value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = 0.1 * (high - low) || 0.5;
  const x = (step) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * step) / Math.max(1, total);
  const y = (value) =>
    HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * (value - low + room)) / (high - low + 2 * room);
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(draw('path', { d: `M${MARGIN.left} ${y(value)}H${WIDTH - MARGIN.right}`, class: 'rule' }));
    svg.append(text(MARGIN.left - 6, y(value) + 4, value.toFixed(2), 'end'));
    if (high === low) break;
  }
  for (const step of [0, total / 2, total]) svg.append(text(x(step), HEIGHT - 6, Math.round(step), 'middle'));
  svg.append(draw('polyline', { points: points.map((point) => `${x(point.step)},${y(point.value)}`).join(' '), class: 'line' }));
  if (last) svg.append(draw('circle', { cx: x(last.step), cy: y(last.value), r: 4, class: 'dot' }));
  return svg;
}

function draw(name, attributes) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function text(x, y, content, anchor) {
  const element = draw('text', { x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}
