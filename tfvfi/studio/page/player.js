// Plays the result beside its source, in step.

import { find, make, seconds, show } from './dom.js';

let videos = [];
let frame;

export function startPlayer() {
  const dialog = find('#player');
  dialog.addEventListener('close', () => {
    cancelAnimationFrame(frame);
    for (const video of videos) video.pause();
    for (const screen of ['#before .screen', '#after .screen']) find(screen).replaceChildren();
    videos = [];
  });
  find('#play').addEventListener('click', toggle);
  find('#moment').addEventListener('input', (event) => {
    pause();
    seek(Number(event.target.value) * videos[0].duration);
  });
  find('#speed').addEventListener('change', speeds);
}

export function play(job) {
  const ending = job.output.slice(job.output.lastIndexOf('.'));
  const slower = job.arguments.treatment.slowmo ? (job.arguments.treatment.factor ?? 2) : 1;
  const isVideo = ['.mp4', '.mov', '.mkv', '.webm', '.m4v'].includes(ending);
  const isPicture = ['.gif', '.webp', '.apng'].includes(ending);
  find('#player-title').textContent = job.title;
  find('#player-note').textContent = '';
  find('#player-download').href = `/api/results/${job.id}?download=1`;
  show(find('#transport'), isVideo);
  const result = `/api/results/${job.id}`;
  const [input] = job.arguments.inputs;
  const source = `/api/media?path=${encodeURIComponent(input)}`;
  if (isVideo) {
    videos = [screen('#after', result, 1), screen('#before', source, slower)];
    videos[0].addEventListener('timeupdate', clock);
    videos[0].addEventListener('ended', ended);
    speeds();
  } else {
    videos = [];
    if (isPicture) {
      find('#after .screen').replaceChildren(make('img', { src: result, alt: 'The result' }));
      if (/\.(gif|webp|apng|png)$/i.test(input)) find('#before .screen').replaceChildren(make('img', { src: source, alt: 'The source' }));
    } else note('The pictures are in a folder; the download holds them as a ZIP file.');
  }
  show(find('#before'), Boolean(find('#before .screen').children.length));
  show(find('#after'), Boolean(find('#after .screen').children.length));
  find('#play').textContent = 'Play';
  find('#player').showModal();
  if (isVideo) find('#play').focus();
}

function screen(place, src, slower) {
  const video = make('video', { muted: true, playsInline: true, preload: 'auto', src });
  video.slower = slower;
  video.addEventListener('error', () => {
    if (!video.isConnected) return;
    const what = place === '#after' ? 'The result' : 'The source';
    note(`${what} is in a format that this browser does not play${place === '#after' ? '; download it instead' : ''}.`);
    show(find(place), false);
    if (place === '#before') videos = videos.filter((each) => each !== video);
  });
  // Only the result is audible.
  if (place === '#after') video.muted = false;
  find(`${place} .screen`).replaceChildren(video);
  return video;
}

function toggle() {
  if (videos[0].paused) start();
  else pause();
}

async function start() {
  if (videos[0].ended) seek(0);
  seek(videos[0].currentTime);
  await Promise.all(videos.map((video) => video.play().catch(() => {})));
  // The dialog may be closed by now.
  if (!videos.length) return;
  find('#play').textContent = 'Pause';
  keepInStep();
}

function pause() {
  for (const video of videos) video.pause();
  cancelAnimationFrame(frame);
  find('#play').textContent = 'Play';
}

function ended() {
  if (!videos.length) return;
  if (find('#loop').checked) start();
  else pause();
}

function seek(time) {
  for (const video of videos) video.currentTime = time / video.slower;
  clock();
}

// Players drift apart, so the source is corrected when it is off by more than a frame or two.
function keepInStep() {
  const [result, source] = videos;
  if (!result) return;
  clock();
  if (source && Math.abs(source.currentTime * source.slower - result.currentTime) > 0.08 * source.slower) {
    source.currentTime = result.currentTime / source.slower;
  }
  if (!result.paused) frame = requestAnimationFrame(keepInStep);
}

function speeds() {
  // Browsers refuse to play slower than a sixteenth.
  for (const video of videos) video.playbackRate = Math.max(0.0625, Number(find('#speed').value) / video.slower);
}

function clock() {
  const [result] = videos;
  if (!result?.duration) return;
  if (document.activeElement !== find('#moment')) find('#moment').value = result.currentTime / result.duration;
  find('#moment-clock').textContent = `${seconds(result.currentTime)} of ${seconds(result.duration)}`;
}

function note(text) {
  find('#player-note').textContent = `${find('#player-note').textContent} ${text}`.trim();
}
