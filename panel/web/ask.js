// What the panel asks of the controller. A touch is carried out now or not at all: nothing is kept
// for later, and what arrives late the controller refuses, by the time that goes with each command.
import {signal} from './vendor/ui.js';
import {areas, clock, clockKnown, lang, linked, name, property as state, room, t, wish} from './store.js';

export const patience = 15000; // ms; the controller itself answers within 10 s
const slow = 3000; // ms until a panel says that it waits

export const toast = signal(null);
let fading;

// say shows a text for a while; a fault longer, and with a way to try again.
export function say(text, {fault = false, retry = null} = {}) {
  toast.value = {text, fault, retry};
  clearTimeout(fading);
  fading = setTimeout(() => { toast.value = null; }, fault ? 8000 : 4000);
}
export function hush() { toast.value = null; }

// call asks and returns the answer, with failed set where the controller said no; null where there
// was no answer.
export async function call(method, path, body) {
  if (!linked.value) { say(t('lost'), {fault: true}); return null; }
  const headers = clockKnown() ? {'Lectern-Touched': String(Math.round(clock()))} : {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const answer = await fetch(path, {method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(patience)});
    const text = await answer.text();
    const json = text ? JSON.parse(text) : {};
    if (answer.status === 401 && path !== session) areas.value = {};
    return answer.ok ? json : {...json, failed: true};
  } catch { return null; }
}

// why is what an answer says that is no success.
const why = answer => answer === null ? t('said.silent') :
  `${(lang.value === 'zh' && answer.zh) || answer.detail || answer.title}${answer.retry_after ? ` (${t('about', answer.retry_after)})` : ''}`;

// set asks for a value. What is asked for shows at once, as asked for; the answer decides.
export async function set(device, property, value) {
  const w = wish(device, property);
  let mine = w.value = {value};
  const waiting = setTimeout(() => { if (w.value === mine) mine = w.value = {value, slow: true}; }, slow);
  const answer = await call('POST', `/api/v1/devices/${device}/${property}`, {value});
  clearTimeout(waiting);
  const still = w.value === mine; // else a newer touch has taken over
  if (answer === null || answer.failed) {
    if (still) w.value = null;
    if (answer?.outcome !== 'superseded') say(why(answer), {fault: true, retry: () => set(device, property, value)});
    return;
  }
  if (answer.outcome === 'sent') say(t('state.sent'));
  if (!still) return;
  // The confirmed state comes by the stream, perhaps after this answer: until then nothing flickers.
  if (state(device, property).value === value || answer.outcome !== 'done') w.value = null;
  else {
    w.value = {value, answered: true};
    setTimeout(() => { if (w.value?.answered) w.value = null; }, 1500);
  }
}

// start runs a scene; body is the hold or the confirmation that its button wants.
export async function start(scene, body = {}) {
  const answer = await call('POST', `/api/v1/scenes/${scene.id}`, body);
  if (answer === null || answer.failed) say(why(answer), {fault: true, retry: scene.hold ? null : () => start(scene, body)});
  return answer !== null && !answer.failed;
}

export async function cancel(scene) {
  const answer = await call('DELETE', `/api/v1/scenes/${scene.id}`);
  if (answer === null || answer.failed) say(why(answer), {fault: true});
}

export async function decide(scene, what) {
  const answer = await call('POST', `/api/v1/scenes/${scene.id}/decision`, {do: what});
  if (answer === null || answer.failed) say(why(answer), {fault: true});
}

const session = '/api/v1/session';
const take = answer => { if (answer && !answer.failed) areas.value = answer.areas; return answer; };
export const unlock = async (area, pin) => take(await call('POST', session, {pin, area}));
export const stay = async () => take(await call('PUT', session));
export const opened = async () => take(await call('GET', session));
export async function end() {
  await call('DELETE', session);
  areas.value = {};
}

// load learns the room; it goes on trying, since a panel may be up before its controller.
export async function load() {
  for (;;) {
    try {
      const answer = await fetch('/api/v1/room');
      if (answer.ok) { room.value = await answer.json(); document.title = name(room.value.name); return; }
    } catch { /* not up yet */ }
    await new Promise(r => setTimeout(r, 1000));
  }
}
