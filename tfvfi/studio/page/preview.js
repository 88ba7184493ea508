// The preview: an original frame compared with a new one.

import { checked, find, make, options, seconds, sentence, show } from './dom.js';
import { Refusal, ask } from './api.js';
import { emit, on, store } from './store.js';
import { Compare } from './compare.js';
import { length, rate } from './source.js';
import { label, model, skipsRepeats } from './settings.js';

const HELD = 'held';
let compare;
let wanted = null; // what is to be rendered when the present work is done
let busy = false;
let settling;

export function startPreview() {
  compare = new Compare(find('#stage'));
  const against = [[HELD, 'the frame before'], ...store.begin.networks.map((each) => [each.name, label(each)])];
  options(find('#against'), against);
  const position = find('#position');
  position.addEventListener('input', () => moved(Number(position.value)));
  find('#earlier').addEventListener('click', () => step(-1));
  find('#later').addEventListener('click', () => step(1));
  find('#against').addEventListener('change', request);
  find('#preview').addEventListener('click', () => (busy ? stop() : request()));
  find('#flip').addEventListener('click', () => compare.next());
  find('#mode').addEventListener('change', () => {
    compare.mode(checked('mode') === 'flip');
    show(find('#flip'), checked('mode') === 'flip');
  });
  on('source', opened);
  on('scanned', drawCuts);
  on('model', request);
}

function opened(facts) {
  compare.clear();
  wanted = null;
  find('#preview-status').textContent = '';
  drawCuts();
  if (!facts) return;
  const position = find('#position');
  position.max = Math.max(0.001, length(facts) - 1 / rate(facts));
  position.step = 0.5 / rate(facts);
  position.value = store.position;
  find('.stack', find('#stage')).style.aspectRatio = `${facts.width} / ${facts.height}`;
  clock();
  look();
  request();
}

function drawCuts() {
  const facts = store.source;
  find('.cuts').replaceChildren(
    ...(facts?.cuts ?? []).map((time) => {
      const mark = make('span');
      mark.style.left = `${(100 * time) / length(facts)}%`;
      return mark;
    }),
  );
}

function step(frames) {
  const position = find('#position');
  position.value = store.position + frames / rate(store.source);
  moved(Number(position.value));
}

// Shows the original frame at once, and a new one when the slider has come to rest.
function moved(time) {
  store.position = time;
  clock();
  clearTimeout(settling);
  settling = setTimeout(() => {
    look();
    settling = setTimeout(request, 350);
  }, 120);
}

function clock() {
  find('#clock').textContent = seconds(store.position);
  find('#position').setAttribute('aria-valuetext', `${store.position.toFixed(2)} seconds`);
}

async function look() {
  const source = store.source;
  const time = store.position;
  try {
    const found = await ask('pair', { inputs: source.inputs, seconds: time });
    if (store.source !== source || store.position !== time || busy) return;
    const frame = { src: found.frame0, name: `Frame at ${seconds(found.time0)}` };
    compare.show(frame, { ...frame, name: '' });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
  }
}

function request() {
  if (!store.source) return;
  clearTimeout(settling);
  wanted = { source: store.source, seconds: store.position, model: model(), against: find('#against').value };
  if (!busy) work();
}

async function stop() {
  wanted = null;
  await ask('stop_preview');
}

// Renders the latest request until none is left.
async function work() {
  busy = true;
  compare.waiting(true);
  find('#preview').textContent = 'Stop';
  while (wanted) {
    const now = wanted;
    wanted = null;
    try {
      await render(now);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.stopped ? 'Stopped.' : error.message);
    }
  }
  busy = false;
  compare.waiting(false);
  find('#preview').textContent = 'Preview here';
}

async function render({ source, seconds: time, model: chosen, against }) {
  say('Computing a new frame …');
  const given = { inputs: source.inputs, seconds: time, skip_repeats: skipsRepeats() };
  const found = await ask('preview', { ...given, model: chosen });
  if (store.source !== source) return;
  const first = { src: found.frame0, name: `Frame at ${seconds(found.time0)}` };
  const middle = { src: found.middle, name: `New frame, ${chosen.name}` };
  const second = { src: found.frame1, name: `Frame at ${seconds(found.time1)}` };
  let left = first;
  if (against !== HELD) {
    compare.show(first, middle, [first, middle, second]);
    say(`Computing the same frame with ${against} …`);
    const other = await ask('preview', { ...given, model: { name: against, options: {}, weights: null } });
    if (store.source !== source) return;
    left = { src: other.middle, name: `New frame, ${against}` };
    compare.show(left, middle, [left, middle]);
  } else {
    compare.show(first, middle, [first, middle, second]);
  }
  say(
    found.cut
      ? 'A cut lies between these two frames, so none is computed here.'
      : `The new frame lies half-way between ${seconds(found.time0)} and ${seconds(found.time1)}.`,
  );
  if (store.secondsEach === null && !wanted && !found.cut) await measure(given, chosen, source);
}

// The first frame includes preparing the network, so another one is timed.
async function measure(given, chosen, source) {
  const { seconds: each } = await ask('trial', { ...given, skip_repeats: undefined, model: chosen });
  if (store.source !== source || JSON.stringify(model()) !== JSON.stringify(chosen)) return;
  store.secondsEach = each;
  emit('measured');
}

function say(text) {
  find('#preview-status').textContent = sentence(text);
}
