// The queue: running, waiting and finished jobs.

import { find, make, sentence, show, span } from './dom.js';
import { Refusal, ask, complain } from './api.js';
import { emit, on } from './store.js';
import { play } from './player.js';
import { useWeights } from './settings.js';

const WORDS = { queued: 'Waiting', running: 'Running', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' };
const states = new Map();
let rows = new Map();
let timer;

export function startQueue() {
  on('jobs', draw);
  follow();
}

// Polls the jobs, more often while one is running.
async function follow() {
  clearTimeout(timer);
  let active = false;
  try {
    const { jobs } = await ask('jobs');
    draw(jobs);
    active = jobs.some((job) => ['running', 'queued'].includes(job.state));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  timer = setTimeout(follow, active ? 700 : 3000);
}

function draw(jobs) {
  const list = find('#queue .jobs');
  const kept = new Map();
  for (const job of jobs) {
    const row = rows.get(job.id) ?? make('li', { className: 'job card' });
    kept.set(job.id, row);
    // A row is rebuilt only when its buttons change, so that it keeps the focus.
    const kind = `${job.state} ${job.message}`;
    if (row.dataset.kind !== kind) {
      row.dataset.kind = kind;
      build(row, job);
    }
    update(row, job);
    if (states.get(job.id) && states.get(job.id) !== job.state && job.state === 'done') emit('job done', job);
    states.set(job.id, job.state);
  }
  const order = [...kept.values()].reverse();
  if (order.length !== list.children.length || order.some((row, at) => list.children[at] !== row)) list.replaceChildren(...order);
  rows = kept;
  show(find('#queue'), jobs.length > 0);
  emit('all jobs', jobs);
}

function build(row, job) {
  const title = make('h3', { textContent: job.title });
  const state = make('span', { className: `state ${job.state}`, textContent: WORDS[job.state] });
  const buttons = make('div', { className: 'row' });
  const button = (text, act, className = '') =>
    buttons.append(make('button', { type: 'button', className, textContent: text, 'aria-label': `${text}: ${job.title}`, onclick: act }));
  if (job.state === 'done' && job.kind === 'interpolate') {
    button('Play', () => play(job), 'primary');
    buttons.append(make('a', { className: 'button', href: `/api/results/${job.id}?download=1`, download: '', textContent: 'Download', 'aria-label': `Download: ${job.title}` }));
  }
  if (job.state === 'done' && job.kind === 'tune') {
    button('Use it', async () => {
      location.hash = '#/interpolate';
      await useWeights(job.arguments.model.name, job.output);
    }, 'primary');
  }
  if (job.state === 'running' || job.state === 'queued') button('Cancel', () => change('cancel', job));
  if (job.state === 'failed' || job.state === 'cancelled') button(job.done ? 'Continue' : 'Run again', () => change('again', job));
  if (job.state !== 'running') button('Remove', () => change('remove', job), 'quiet');
  row.replaceChildren(
    make('div', { className: 'row between' }, make('div', { className: 'row' }, title, state), buttons),
    make('progress', { 'aria-label': `Progress of ${job.title}` }),
    make('p', { className: 'faint line' }),
    make('ul', { className: 'plain notices' }),
    details(job),
  );
}

function details(job) {
  return make(
    'details',
    {},
    make('summary', { textContent: 'Command' }),
    make('pre', { textContent: job.command, tabIndex: 0 }),
  );
}

function update(row, job) {
  const bar = find('progress', row);
  show(bar, job.state === 'running' || (job.state === 'cancelled' && job.done > 0));
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else bar.removeAttribute('value');
  const line = find('.line', row);
  const text = words(job);
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle('bad', job.state === 'failed');
  const notices = find('.notices', row);
  if (notices.children.length !== job.notices.length) {
    notices.replaceChildren(...job.notices.map((text) => make('li', { textContent: sentence(text) })));
  }
}

function words(job) {
  const unit = job.kind === 'tune' ? 'steps' : 'frames';
  const counted = job.total ? `${job.done} of ${job.total} ${unit}` : job.done ? `${job.done} ${unit}` : '';
  if (job.state === 'failed') return sentence(job.message);
  if (job.state === 'cancelled') return counted ? `Stopped after ${counted}. What is finished is kept.` : 'Nothing was begun.';
  if (job.state === 'done') return done(job, unit);
  if (job.state === 'queued') return job.done ? `${counted} are finished already.` : 'Waits for its turn.';
  const left = job.rate && job.total ? (job.total - job.done) / job.rate : null;
  return [
    job.stage,
    counted,
    job.rate ? `${Number(job.rate.toPrecision(2))} ${unit} a second` : '',
    left === null ? '' : `${span(left)} left`,
  ].filter(Boolean).join(', ');
}

function done(job, unit) {
  const took = job.spent ? ` in ${span(job.spent)}` : '';
  if (job.kind === 'tune') {
    const { before, after } = job.result;
    return `${job.total} steps${took}; the frame went from ${before.toFixed(2)} to ${after.toFixed(2)} dB. Weights: ${job.output}`;
  }
  return `${job.total} ${unit}${took}. ${job.output}`;
}

async function change(action, job) {
  try {
    draw((await ask(action, { id: job.id })).jobs);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(error.message);
  }
  follow();
}
