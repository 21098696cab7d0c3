// All that the panel knows: the room, its state as the equipment reported it, and what is asked for
// and not yet confirmed. Everything is a signal: who reads one is drawn again when it changes.
import {batch, computed, signal} from './vendor/ui.js';
import {words} from './words.js';

export const room = signal(null);
export const areas = signal({}); // open areas, with the time until when
export const linked = signal(true); // false: the controller has been silent
export const simulated = signal(false);
export const build = signal('');

function kept(key, otherwise) {
  try { return localStorage.getItem(key) || otherwise; } catch { return otherwise; }
}

// keep remembers a choice of this panel. Where the browser keeps nothing it holds until the next start.
function keep(key, value) {
  try { localStorage.setItem(key, value); } catch { /* as said above */ }
}

export const language = signal(kept('language', ''));
export const theme = signal(kept('theme', ''));
export function speak(l) { language.value = l; keep('language', l); }
export function wear(mode) { theme.value = mode; keep('theme', mode); }
export const lang = computed(() => language.value || room.value?.language || 'zh');

// t is a word of the catalogue in the language of the panel. A key without words shows itself, so
// that the gap is seen.
export function t(key, put = {}, into = lang.value) {
  const text = words[key]?.[into === 'zh' ? 0 : 1] ?? key;
  const values = typeof put === 'object' ? put : {n: put};
  return text.replace(/\{(\w+)\}/g, (_, k) => values[k] ?? '');
}

// other is a word in the panel's other language, for who cannot read the first.
export const other = key => words[key][lang.value === 'zh' ? 1 : 0];

// either is the first key that has words; without any it is the last word of the first key.
export function either(...keys) {
  const key = keys.find(k => words[k]);
  return key ? t(key) : keys[0].slice(keys[0].lastIndexOf('.') + 1);
}

// name is a name of the room file.
export const name = n => (n && (n[lang.value] || n.zh || n.en)) || '';

// The controller's clock. That of the panel may be wrong; times in the state are the controller's.
let ahead = null;
export const now = signal(Date.now());
export function setClock(ms) { ahead = ms - Date.now(); }
export const clock = () => Date.now() + (ahead ?? 0);
export const clockKnown = () => ahead !== null;
setInterval(() => { now.value = clock(); }, 1000);

// left is how many seconds it is until a time, never negative.
export const left = until => Math.max(0, Math.ceil((new Date(until) - now.value) / 1000));
export const open = area => Boolean(areas.value[area]) && new Date(areas.value[area]) > now.value;

// cells hold the state by kind and id, made when somebody first asks.
const cells = new Map();
function cell(kind, id) {
  const key = `${kind} ${id}`;
  if (!cells.has(key)) cells.set(key, signal(null));
  return cells.get(key);
}

const unknown = {value: null, quality: 'unknown'};
export const property = (device, p) => cell('property', `${device}.${p}`).value ?? unknown;
export const reach = device => cell('device', device).value ?? {online: true, fed: true};
export const run = scene => cell('run', scene).value;
export const line = id => cell('line', id).value;
export const lines = signal([]); // ids
export const reload = signal(null); // how the last reading of the room file ended
const kinds = ['schedule', 'rule', 'auto_off'];
export const automatics = signal([]); // "kind id" of what happens by itself, in the order of their kinds
export const automatic = key => cell('automatic', key).value;
export const emergency = () => cell('emergency', '').value;
export const staff = signal(null); // how the work of property staff stands
export const storage = signal({ok: true}); // of the journal

// wish is what this panel has asked for and not had an answer to.
export const wish = (device, p) => cell('wish', `${device}.${p}`);

// take puts an update of the controller into the cells. A full one leaves nothing of before.
export function take(update) {
  batch(() => {
    if (update.full) {
      for (const [key, c] of cells) if (!key.startsWith('wish ')) c.value = null;
      lines.value = [];
    }
    for (const p of update.properties || []) {
      cell('property', `${p.device}.${p.property}`).value = p;
      const w = wish(p.device, p.property);
      if (w.value && w.value.answered && w.value.value === p.value) w.value = null;
    }
    for (const d of update.devices || []) cell('device', d.device).value = d;
    if (update.reload) reload.value = update.reload;
    for (const r of update.runs || []) cell('run', r.scene).value = r;
    for (const a of update.automatic || []) {
      const key = `${a.kind} ${a.id}`;
      cell('automatic', key).value = a;
      if (!automatics.value.includes(key)) automatics.value = [...automatics.value, key].sort((a, b) => kinds.indexOf(a.split(' ')[0]) - kinds.indexOf(b.split(' ')[0]) || (a < b ? -1 : 1));
    }
    if (update.emergency) cell('emergency', '').value = update.emergency;
    if (update.staff) staff.value = update.staff;
    if (update.storage) storage.value = update.storage;
    for (const l of update.lines || []) {
      cell('line', l.line).value = l;
      if (!lines.value.includes(l.line)) lines.value = [...lines.value, l.line];
    }
  });
}

export const device = id => room.value.devices.find(d => d.id === id);
export const propertyOf = (d, p) => d?.properties.find(one => one.name === p);

// look is how a property is to be shown: its value, what is asked for, and what is wrong with it.
export function look(id, p) {
  const s = property(id, p), w = wish(id, p).value;
  return {...s, known: s.value !== null && s.quality !== 'unknown', asked: w ? w.value : s.target ?? null, slow: Boolean(w?.slow)};
}

// settled are the properties that say how well a device is known: what it is there for.
const settled = d => d.properties.filter(p => p.settable).slice(0, 1).concat(propertyOf(d, 'position') || []).map(p => property(d.id, p.name));

// time is a moment as people write it.
export const time = at => at ? new Date(at).toLocaleString(lang.value === 'zh' ? 'zh-CN' : 'en-GB', {month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit'}) : '';

// seen is when what is no longer up to date of a device was seen last, in words; '' where all is fresh.
export function seen(id) {
  const old = settled(device(id)).filter(p => p.quality === 'stale' && p.seen).map(p => new Date(p.seen));
  return old.length ? t('health.since', time(Math.min(...old))) : '';
}

// condition is what a person must know of a device before its values: the gravest first.
export function condition(id) {
  const d = device(id), r = reach(id);
  if (!r.fed) return 'unfed';
  if (!r.online) return 'offline';
  if (property(id, 'fault').value) return 'fault';
  // How well it is known counts for what it is there for; its other properties tell for themselves.
  const qualities = settled(d).map(p => p.quality);
  for (const q of ['unknown', 'stale', 'assumed']) {
    if (q === 'unknown' ? qualities.length && qualities.every(one => one === q) : qualities.includes(q)) return q;
  }
  return '';
}

// lock is why setting a property to a value would be refused now, or undefined. A lock on what is so
// already stops nobody.
export function lock(id, p, value) {
  const s = property(id, p);
  if (s.value === value) return undefined;
  return (s.locks || []).find(l => !l.values || l.values.includes(value));
}

// because is a lock in words, with the time it will hold where the controller knows.
export const because = l => l.until && left(l.until) > 0 ? `${name(l.reason)} (${t('about', left(l.until))})` : name(l.reason);

// spoken is a value as people say it; asked where it is what somebody wants and not how it is.
export function spoken(d, p, value, asked = false) {
  if (value === null || value === undefined) return t('state.unknown');
  if (typeof value === 'boolean') return p.settable ? t(value ? 'on' : 'off') : t(value ? 'true' : 'false');
  const option = p.options?.find(o => o.value === value);
  if (option?.label && name(option.label)) return name(option.label);
  if (p.name === 'selected') return name(room.value.sources.find(s => s.id === value)?.name) || either(value);
  if (p.options) return asked ? either(`transport.${value}`, value) : either(`transport.${value}`, `moving.${value}`, value);
  return `${value}${p.unit === '%' ? '%' : p.unit ? ` ${p.unit}` : ''}`;
}
