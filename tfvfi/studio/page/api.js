// Talking to the server: actions with JSON, and uploads.

import { find, sentence, show } from './dom.js';

export class Refusal extends Error {}

let unreachable = false;

export async function ask(action, given = {}) {
  let response;
  try {
    response = await fetch(`/api/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(given),
    });
  } catch {
    unreachable = true;
    complain('The studio does not answer. Start it again; unfinished work continues.');
    throw new Refusal('the studio does not answer');
  }
  if (unreachable) {
    unreachable = false;
    complain('');
  }
  if (response.status === 403) {
    complain(await response.text());
    throw new Refusal('refused');
  }
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Refusal(answer.error), { stopped: answer.stopped });
  return answer;
}

// Shows an error that concerns the whole page; an empty text removes it.
export function complain(text) {
  const place = find('#trouble');
  place.textContent = sentence(text);
  show(place, Boolean(text));
}

// Sends a file and reports its progress; `control.stop()` aborts it.
export function upload(file, group, progress, control) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ name: file.name, ...(group ? { group } : {}) });
    request.open('PUT', `/api/upload?${query}`);
    request.responseType = 'json';
    request.upload.addEventListener('progress', (event) => progress(event.loaded));
    request.addEventListener('load', () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Refusal(request.response?.error ?? 'the upload was refused'));
    });
    request.addEventListener('error', () => reject(new Refusal(`${file.name} could not be sent`)));
    request.addEventListener('abort', () => reject(Object.assign(new Refusal('stopped'), { stopped: true })));
    control.stop = () => request.abort();
    request.send(file);
  });
}
