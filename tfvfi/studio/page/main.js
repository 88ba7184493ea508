// Starts the page: what the server offers, the parts, the two pages, and the colours.

import { all, find, show } from './dom.js';
import { ask } from './api.js';
import { emit, on, store } from './store.js';
import { startSources } from './source.js';
import { startSettings } from './settings.js';
import { startPreview } from './preview.js';
import { startQueue } from './queue.js';
import { startPlayer } from './player.js';
import { startTune } from './tune.js';

// The token is in a cookie now, so it is removed from the address.
history.replaceState(null, '', location.pathname + location.hash);

const THEMES = ['system', 'light', 'dark'];

function theme(name) {
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  find('#theme').textContent = `Theme: ${name}`;
  localStorage.setItem('theme', name);
}

function page() {
  const chosen = location.hash === '#/tune' ? 'tune' : 'interpolate';
  for (const link of all('nav a')) {
    if (link.dataset.page === chosen) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  show(find('#interpolate'), Boolean(store.source) && chosen === 'interpolate');
  show(find('#tune'), Boolean(store.source) && chosen === 'tune');
}

theme(THEMES.includes(localStorage.getItem('theme')) ? localStorage.getItem('theme') : 'system');
find('#theme').addEventListener('click', () => {
  const now = localStorage.getItem('theme') ?? 'system';
  theme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});

store.begin = await ask('begin');
startSources();
startSettings();
startPreview();
startTune();
startPlayer();
startQueue();
on('source', page);
on('job done', (job) => job.kind === 'tune' && emit('weights'));
addEventListener('hashchange', page);
page();
document.documentElement.dataset.ready = '';
