// Choosing a source: dropping, uploading, browsing, and the facts about it.

import { all, find, make, seconds, show, size } from './dom.js';
import { Refusal, ask, complain, upload } from './api.js';
import { emit, on, store } from './store.js';

const isPicture = (name) => /\.(png|jpe?g|webp|tiff?|bmp|ppm)$/i.test(name);

export function startSources() {
  const files = find('#files');
  const folder = find('#folder');
  find('#choose').addEventListener('click', () => files.click());
  find('#choose-folder').addEventListener('click', () => folder.click());
  for (const each of [files, folder]) {
    each.addEventListener('change', () => {
      receive([...each.files]);
      each.value = '';
    });
  }
  find('#browse').addEventListener('click', () => browse(null));
  find('#another').addEventListener('click', close);
  for (const each of all('dialog .close')) each.addEventListener('click', () => each.closest('dialog').close());
  find('#open-pictures').addEventListener('click', () => {
    open(all('#browser-list input:checked').map((box) => box.value));
  });
  startDropping();
  listUploads();
}

// Opens a source by its paths on the server.
export async function open(inputs) {
  find('#browser').close();
  try {
    const facts = await ask('facts', { inputs });
    complain('');
    store.source = facts;
    store.position = Math.min(0.5, length(facts) / 2);
    store.secondsEach = null;
    show(find('#empty'), false);
    show(find('#source'));
    find('#source-title').textContent = facts.name;
    draw();
    emit('source', facts);
    watch(facts);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(error.message);
  }
}

export const length = (facts) => {
  const [top, bottom = 1] = facts.seconds.split('/').map(Number);
  return top / bottom;
};

export const rate = (facts) => {
  const [top, bottom = 1] = facts.rate.split('/').map(Number);
  return top / bottom;
};

function close() {
  store.source = null;
  show(find('#source'), false);
  show(find('#empty'));
  listUploads();
  emit('source', null);
  find('#choose').focus();
}

// Follows the scan for cuts and repeats until it is done.
async function watch(facts) {
  while (store.source === facts) {
    let status;
    try {
      status = await ask('scan', { inputs: facts.inputs });
    } catch {
      return;
    }
    if (store.source !== facts) return;
    facts.scan = status;
    if (status.result) {
      Object.assign(facts, status.result);
      draw();
      emit('scanned', facts);
      return;
    }
    draw();
    if (status.error) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function draw() {
  const facts = store.source;
  const shown = [
    `${facts.width} × ${facts.height}`,
    facts.has_clock ? `${Number(rate(facts).toFixed(3))} frames a second` : null,
    facts.has_clock ? seconds(length(facts)) : null,
    `${facts.frames} frames`,
    facts.codec?.toUpperCase(),
    facts.depth > 8 ? `${facts.depth} bits` : null,
    facts.alpha ? 'transparent' : null,
    size(facts.bytes),
    facts.kind === 'pictures' ? null : facts.sound.map(sound).join('; ') || 'no sound',
    ...scanned(facts),
  ];
  find('#facts').replaceChildren(
    ...shown.filter(Boolean).map((text) => make('li', { textContent: text })),
  );
}

const sound = (track) => {
  const channels = { 1: 'mono', 2: 'stereo' }[track.channels] ?? `${track.channels} channels`;
  return `${channels} sound (${track.codec.toUpperCase()})`;
};

function scanned(facts) {
  if (facts.cuts) {
    const repeats = facts.repeats ? `${Math.round((100 * facts.repeats) / facts.frames)} % repeated frames` : 'no repeated frames';
    const cuts = facts.cuts.length;
    return [cuts === 0 ? 'no cuts' : cuts === 1 ? '1 cut' : `${cuts} cuts`, repeats];
  }
  if (facts.scan?.error) return [facts.scan.error];
  const { done, total } = facts.scan ?? {};
  return [total ? `looking for cuts, ${Math.round((100 * done) / total)} %` : 'looking for cuts'];
}

function startDropping() {
  const page = document.documentElement;
  page.addEventListener('dragover', (event) => {
    event.preventDefault();
    page.classList.add('dragging');
  });
  page.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) page.classList.remove('dragging');
  });
  page.addEventListener('drop', async (event) => {
    event.preventDefault();
    page.classList.remove('dragging');
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const found = entries.length
      ? (await Promise.all(entries.map(filesIn))).flat()
      : [...event.dataTransfer.files];
    receive(found);
  });
}

async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  // A reader returns at most a hundred entries at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesIn))).flat();
}

// Uploads what was dropped or chosen, and opens it.
async function receive(files) {
  const pictures = files.filter((file) => isPicture(file.name));
  const others = files.filter((file) => !isPicture(file.name) && !file.name.startsWith('.'));
  const together = pictures.length > 1 && !others.length;
  const wanted = together ? pictures : others.length ? others : pictures;
  if (!wanted.length) {
    complain('There is no video and no picture in what was dropped.');
    return;
  }
  const group = together ? groupName(pictures) : null;
  const place = find('#upload');
  const bar = find('progress', place);
  const control = { stop: () => {}, stopped: false };
  find('button', place).onclick = () => {
    control.stopped = true;
    control.stop();
  };
  const total = wanted.reduce((sum, file) => sum + file.size, 0);
  let sent = 0;
  let last = null;
  show(place);
  try {
    for (const file of wanted) {
      find('strong', place).textContent = file.name;
      const progress = (loaded) => {
        bar.value = total ? (sent + loaded) / total : 0;
        find('span', place).textContent = `${size(sent + loaded)} of ${size(total)}`;
      };
      last = await upload(file, group, progress, control);
      sent += file.size;
      if (control.stopped) return;
    }
    await open([together ? last.folder : last.path]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!error.stopped) complain(error.message);
  } finally {
    show(place, false);
    listUploads();
  }
}

function groupName(pictures) {
  const parent = pictures[0].webkitRelativePath?.split('/').at(-2);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return `${parent || pictures[0].name.replace(/\.\w+$/, '')} ${stamp}`;
}

async function listUploads() {
  const { media } = await ask('uploads');
  find('#recent ul').replaceChildren(
    ...media.map((entry) =>
      make(
        'li',
        {},
        make('button', { type: 'button', className: 'link', textContent: entry.name, onclick: () => open([entry.path]) }),
        make('span', { className: 'faint', textContent: entry.bytes === null ? 'pictures' : size(entry.bytes) }),
        make('button', {
          type: 'button',
          className: 'quiet',
          textContent: 'Delete',
          'aria-label': `Delete ${entry.name}`,
          onclick: async () => {
            await ask('forget_upload', { path: entry.path }).catch((error) => complain(error.message));
            listUploads();
          },
        }),
      ),
    ),
  );
  show(find('#recent'), media.length > 0);
}

async function browse(path) {
  const dialog = find('#browser');
  let listing;
  try {
    listing = await ask('browse', { path });
    if (!path && listing.entries.length === 1) listing = await ask('browse', { path: listing.entries[0].path });
  } catch (error) {
    complain(error.message);
    return;
  }
  const entries = listing.entries.filter((entry) => entry.kind !== 'weights');
  const pictures = entries.filter((entry) => entry.kind === 'picture');
  find('#browser-path').textContent = listing.path ?? 'Folders that the studio was given';
  const rows = entries.map((entry) => row(entry));
  if (listing.parent || (listing.path && store.begin.folders.length > 1)) {
    rows.unshift(make('li', {}, make('button', { type: 'button', className: 'link', textContent: '‹ Up', onclick: () => browse(listing.parent) })));
  }
  if (!rows.length) rows.push(make('li', { className: 'faint', textContent: 'No folders, videos or pictures here.' }));
  find('#browser-list').replaceChildren(...rows);
  const folder = find('#open-folder');
  folder.onclick = () => open([listing.path]);
  show(folder, pictures.length > 1);
  show(find('#open-pictures'), false);
  if (!dialog.open) dialog.showModal();
}

function row(entry) {
  const button = make('button', {
    type: 'button',
    className: `link ${entry.kind}`,
    textContent: entry.kind === 'folder' ? `${entry.name}/` : entry.name,
    onclick: () => (entry.kind === 'folder' ? browse(entry.path) : open([entry.path])),
  });
  if (entry.kind !== 'picture') {
    return make('li', {}, button, make('span', { className: 'faint', textContent: entry.bytes === null ? '' : size(entry.bytes) }));
  }
  const box = make('input', {
    type: 'checkbox',
    value: entry.path,
    onchange: () => show(find('#open-pictures'), all('#browser-list input:checked').length > 1),
  });
  return make('li', {}, make('label', { className: 'inline' }, box, entry.name), make('span', { className: 'faint', textContent: size(entry.bytes) }));
}

on('job done', listUploads);
