// The settings, the sentence that describes the output, and the start of a job.

import { checked, find, options, sentence as written, show } from './dom.js';
import { Refusal, ask, complain } from './api.js';
import { emit, on, store } from './store.js';

// A larger share of repeated frames than this is pointed out.
const MANY_REPEATS = 0.25;
let asked = 0;
let previewed; // the network that the last preview was requested for

export function startSettings() {
  const form = find('#settings');
  fill();
  form.addEventListener('input', changed);
  form.addEventListener('change', changed);
  form.addEventListener('submit', start);
  find('#copy').addEventListener('click', copy);
  on('source', (facts) => {
    if (!facts) return;
    find('#name').value = '';
    find('#damaged').value = 'stop';
    find('#ending').value = facts.kind === 'pictures' && !facts.has_clock ? '' : '.mp4';
    arrange();
    plan();
  });
  find('#take-hint').addEventListener('click', () => {
    find('#duplicates').value = 'smooth';
    changed({ target: find('#duplicates') });
  });
  find('#damage button').addEventListener('click', () => {
    find('#damaged').value = 'keep';
    changed({ target: find('#damaged') });
  });
  on('scanned', () => {
    arrange();
    plan();
  });
  on('measured', plan);
  on('weights', fillWeights);
  arrange();
  previewed = JSON.stringify([model(), skipsRepeats()]);
}

// The chosen network in the form that the server expects.
export function model() {
  const quality = checked('quality');
  if (quality !== 'own') return { ...store.begin.qualities[quality], weights: null };
  return { name: find('#network').value, options: {}, weights: find('#weights').value || null };
}

export const skipsRepeats = () => find('#duplicates').value !== 'keep';

// Selects weights that were trained on the second page.
export async function useWeights(network, path) {
  await fillWeights();
  find('input[name="quality"][value="own"]').checked = true;
  find('#network').value = network;
  find('#weights').value = path;
  changed();
}

export function label(network) {
  return network.ready ? network.name : `${network.name} (needs weights)`;
}

function fill() {
  const { networks, qualities, codecs, animations, stills } = store.begin;
  // A quality is offered where its weights are at hand.
  show(find('#best'), 'best' in qualities);
  options(
    find('#network'),
    networks.map((each) => [each.name, label(each)]),
    networks.find((each) => each.ready).name,
  );
  const names = { '.mp4': 'MP4', '.mov': 'MOV', '.m4v': 'M4V', '.mkv': 'Matroska', '.webm': 'WebM' };
  options(find('#ending'), [
    ...Object.keys(codecs).filter((ending) => ending !== '.m4v').map((ending) => [ending, names[ending]]),
    ...animations.map((ending) => [ending, { '.gif': 'GIF', '.webp': 'WebP', '.apng': 'APNG' }[ending]]),
    ['', 'Pictures in a folder'],
  ]);
  options(find('#pictures'), stills.map((name) => [name, name.toUpperCase()]));
  fillWeights();
}

async function fillWeights() {
  const { weights } = await ask('uploads');
  const chosen = find('#weights').value;
  options(find('#weights'), [['', 'Its own'], ...weights.map((entry) => [entry.path, entry.name])], chosen);
}

function changed(event) {
  if (event?.target.id === 'ending') find('#codec').value = '';
  arrange();
  plan();
  // One choice fires two events; only a different network asks for another preview.
  const now = JSON.stringify([model(), skipsRepeats()]);
  if (now === previewed) return;
  previewed = now;
  store.secondsEach = null;
  emit('model', model());
}

// Shows the settings that apply.
function arrange() {
  const motion = checked('motion');
  const ending = find('#ending').value;
  const { codecs, codec_names: names, default_codecs: usual } = store.begin;
  show(find('#own'), checked('quality') === 'own');
  show(find('#by-factor'), motion !== 'rate');
  show(find('#by-rate'), motion === 'rate');
  show(find('#sound-row'), motion === 'slow' && Boolean(store.source?.sound.length));
  const repeats = (store.source?.repeats ?? 0) / (store.source?.frames ?? 1);
  const damage = store.source?.damage;
  find('#damage span').textContent = damage ? `The source is damaged: ${damage.replaceAll('`', '')}.` : '';
  show(find('#damage'), Boolean(damage) && find('#damaged').value === 'stop');
  show(find('#hint'), repeats > MANY_REPEATS && find('#duplicates').value === 'keep');
  show(find('#codec-row'), ending in codecs);
  show(find('#pictures-row'), ending === '');
  if (ending in codecs) {
    options(find('#codec'), codecs[ending].map((name) => [name, names[name]]), find('#codec').value || usual[ending]);
    if (!find('#codec').value) find('#codec').value = usual[ending];
  }
  show(find('#crf-row'), ending in codecs && !['prores', 'ffv1'].includes(find('#codec').value));
  const network = store.begin.networks.find((each) => each.name === find('#network').value);
  find('#network-about').textContent = network.description;
}

function order() {
  const motion = checked('motion');
  const ending = find('#ending').value;
  const isVideo = ending in store.begin.codecs;
  const treatment = {};
  if (motion === 'rate') treatment.fps = find('#fps').value.trim();
  else treatment.factor = Number(checked('factor'));
  if (motion === 'slow') {
    treatment.slowmo = true;
    if (find('#sound').value !== 'drop') treatment.sound = find('#sound').value;
  }
  for (const [name, usual] of [['duplicates', 'keep'], ['scene_cuts', 'hold'], ['damaged', 'stop']]) {
    const { value } = find(`#${name}`);
    if (value !== usual) treatment[name] = value;
  }
  const encoding = {};
  const codec = find('#codec').value;
  if (isVideo && codec !== store.begin.default_codecs[ending]) encoding.codec = codec;
  if (isVideo && !find('#crf-row').hidden && find('#crf').value !== '') encoding.crf = Number(find('#crf').value);
  if (ending === '' && find('#pictures').value !== 'png') encoding.pictures = find('#pictures').value;
  return { model: model(), treatment, encoding, ending };
}

// Requests the description of the output; only the latest response is shown.
async function plan() {
  if (!store.source) return;
  const number = ++asked;
  const sentence = find('#sentence');
  try {
    const found = await ask('plan', {
      inputs: store.source.inputs,
      order: order(),
      output: find('#name').value,
      seconds_each: store.secondsEach,
    });
    if (number !== asked) return;
    sentence.textContent = found.sentence;
    find('#estimate').textContent = found.time ?? (found.new ? 'How long a frame takes is measured with the preview.' : '');
    find('#command').textContent = found.command;
    find('#name').placeholder = found.output;
    find('#start').disabled = false;
    sentence.classList.remove('bad');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (number !== asked) return;
    sentence.textContent = written(error.message);
    sentence.classList.add('bad');
    find('#estimate').textContent = '';
    find('#command').textContent = '';
    find('#start').disabled = true;
  }
}

async function start(event) {
  event.preventDefault();
  if (!store.source) return;
  const button = find('#start');
  button.disabled = true;
  try {
    emit('jobs', (await ask('add', { inputs: store.source.inputs, order: order(), output: find('#name').value })).jobs);
    complain('');
    find('#queue').scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(error.message);
  } finally {
    button.disabled = false;
  }
  plan();
}

async function copy() {
  const text = find('#command').textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without permission to use the clipboard, the text is selected instead.
    getSelection().selectAllChildren(find('#command'));
    return;
  }
  const button = find('#copy');
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), 1500);
}
