// The connection to the controller, watched. The controller speaks at least every five seconds; after
// twelve of silence the panel says so and takes no touches until it has the whole state again.
import {opened, load} from './ask.js';
import {areas, build, linked, room, setClock, simulated, take} from './store.js';
import {effect} from './vendor/ui.js';

const silence = 11000, again = 1000, calm = 30000; // ms

let source = null, heard = 0, epoch = '', revision = 0, touched = 0, blind = false;

// connect opens the stream; it looks after itself from then on.
export function connect() {
  addEventListener('pointerdown', () => { touched = Date.now(); }, true);
  heard = Date.now();
  open();
  setInterval(watch, 1000);
  // A room that hides its state from a locked panel shows it from now on.
  effect(() => { if (Object.keys(areas.value).length && blind) { blind = false; look(); } });
  addEventListener('online', open);
  document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - heard > silence) open(); });
}

async function look() {
  if (room.value.locked) await load();
  open();
}

function open() {
  source?.close();
  const mine = source = new EventSource(`/api/v1/events?epoch=${epoch}&since=${revision}`);
  const on = (event, f) => mine.addEventListener(event, e => {
    if (mine !== source) return;
    heard = Date.now();
    f(JSON.parse(e.data));
  });
  on('hello', hello);
  on('snapshot', update => { revision = update.revision; take(update); linked.value = true; });
  on('changes', update => { revision = update.revision; take(update); linked.value = true; });
  on('beat', beat => { setClock(beat.now); linked.value = true; });
  // The browser's own way to try again may wait for minutes.
  mine.onerror = () => { mine.close(); if (mine === source) setTimeout(() => { if (mine === source) open(); }, again); };
}

let wanted = '';
async function hello(h) {
  setClock(h.now);
  blind = Boolean(h.locked);
  if (blind) linked.value = true; // there is nothing more to wait for
  simulated.value = h.simulated;
  if (!build.value) build.value = h.build;
  else if (build.value !== h.build) wanted = h.build;
  // Another life of the daemon: it may have another room file, and knows nothing of who is here.
  if (epoch && epoch !== h.epoch) {
    revision = 0;
    const before = JSON.stringify(room.value);
    await load();
    if (!room.value.locked && JSON.stringify(room.value) !== before) wanted = wanted || 'room';
    if (!await opened()) areas.value = {};
  }
  epoch = h.epoch;
}

function watch() {
  const silent = Date.now() - heard;
  if (silent > silence && linked.value) linked.value = false;
  if (silent > silence) { heard = Date.now() - silence + 5 * again; linked.value = false; open(); }
  // Other pages than these belong to the new build: fetched when nobody is touching.
  if (wanted && linked.value && Date.now() - touched > calm) location.reload();
}
