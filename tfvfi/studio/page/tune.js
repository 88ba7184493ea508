// The second page: fine-tunes a network on the clip and shows its progress.

import { checked, find, make, options, sentence, show } from './dom.js';
import { Refusal, ask, complain } from './api.js';
import { emit, on, store } from './store.js';
import { Compare } from './compare.js';
import { chart } from './chart.js';

let compare;
let shown = null; // the job that is shown
let drawn = '';

export function startTune() {
  compare = new Compare(find('#tune-stage'));
  const trainable = store.begin.networks.filter((each) => each.trainable);
  options(find('#tune-network'), trainable.map((each) => [each.name, each.name]));
  find('#tune-form').addEventListener('submit', start);
  find('#tune-against').addEventListener('change', () => {
    drawn = '';
    draw();
  });
  on('all jobs', (jobs) => {
    const runs = jobs.filter((job) => job.kind === 'tune');
    shown = runs.find((job) => job.state === 'running') ?? runs.at(-1) ?? null;
    draw();
  });
}

async function start(event) {
  event.preventDefault();
  try {
    const { jobs } = await ask('tune', {
      inputs: store.source?.inputs,
      model: { name: find('#tune-network').value, options: {}, weights: null },
      objective: find('#objective').value,
      steps: Number(checked('steps')),
      learning_rate: Number(find('#rate').value),
      seconds: store.position,
    });
    complain('');
    find('#tune-sentence').textContent = 'It is in the queue below.';
    emit('jobs', jobs);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    find('#tune-sentence').textContent = sentence(error.message);
  }
}

function draw() {
  const points = shown?.curve ?? [];
  const against = checked('tune-against');
  const state = `${shown?.id} ${points.length} ${points.at(-1)?.step} ${shown?.state} ${against}`;
  if (state === drawn) return;
  drawn = state;
  if (!shown || !points.length) {
    compare.clear();
    find('#curve').replaceChildren();
    find('#tune-status').textContent = shown?.stage ?? '';
    return;
  }
  const last = points.at(-1);
  const picture = (role) => `/api/results/${shown.id}/${role}?step=${last.step}`;
  const names = { before: 'Before', truth: 'True frame' };
  const left = { src: picture(against), name: names[against] };
  const now = { src: picture(last.step ? 'now' : 'before'), name: `After ${last.step} steps` };
  compare.show(left, now);
  const first = points[0].psnr;
  find('#tune-status').textContent = `${shown.title}: ${last.psnr.toFixed(2)} dB to the true frame after ${last.step} steps; ${first.toFixed(2)} dB before.`;
  const total = shown.arguments.steps;
  const psnr = points.map((point) => ({ step: point.step, value: point.psnr }));
  const loss = points.filter((point) => 'loss' in point).map((point) => ({ step: point.step, value: point.loss }));
  find('#curve').replaceChildren(
    make('h3', { textContent: 'Likeness to the true frame, dB' }),
    chart(psnr, 'Likeness to the true frame in dB', total),
    ...(loss.length ? [make('h3', { textContent: 'Loss' }), chart(loss, 'Loss', total)] : []),
  );
  show(find('#curve'));
}
