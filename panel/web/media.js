// The projector, what it shows, how loud, and the players.
import {set} from './ask.js';
import {Card, Chip, Choice, Icon, Reasons, Setter, still} from './parts.js';
import {condition, either, left, linked, look, name, property, propertyOf, room, spoken, t} from './store.js';
import {sourceVolume, volumeOf} from './rooms.js';
import {html, useEffect, useRef, useState} from './vendor/ui.js';

// Projector switches its power and says how long the lamp still takes.
export function Projector({device}) {
  const s = look(device.id, 'power'), remaining = property(device.id, 'remaining').value, most = useRef(0);
  const turning = s.value === 'warming' || s.value === 'cooling';
  if (!turning) most.current = 0; else most.current = Math.max(most.current, remaining || 0);
  const hours = property(device.id, 'lamp'), fault = property(device.id, 'fault').value;
  const p = propertyOf(device, 'power'), inputs = propertyOf(device, 'input')?.options.filter(o => !o.state) || [];
  const fed = condition(device.id) !== 'unfed';
  return html`<${Card} device=${device} icon="projector" busy=${turning} note=${turning ? html`<span class="chip busy"><${Icon} id=${s.value === 'cooling' ? 'cooling' : 'busy'} turn=${s.value === 'warming'} />${t(s.value)}</span>` :
      hours.value !== null && html`<span class="note">${t('lamp', hours.value)}</span>`}>
    <div class="choice" role="group" aria-label=${name(device.name)}>
      ${p.options.filter(o => !o.state).map(o => html`<${Setter} key=${o.value} device=${device} property="power" value=${o.value} text=${t(o.value)} icon="power" />`)}
    </div>
    ${turning && html`<div class="wait" role="status"><i class="bar"><b style=${{width: `${most.current ? 100 - 100 * (remaining || 0) / most.current : 0}%`}}></b></i>
      ${remaining ? t('about', remaining) : ''}</div>`}
    ${fault && fed && html`<p class="reason fault" role="alert"><${Icon} id="fault" />${fault}</p>`}
    <${Reasons} device=${device} property="power" />
    ${!room.value.sources.length && inputs.length > 1 && html`<${Choice} device=${device} property="input" label=${t('input')} options=${inputs.map(o => ({value: o.value, text: spoken(device, propertyOf(device, 'input'), o.value)}))} />`}
  </${Card}>`;
}

const projectorOf = source => room.value.devices.find(d => d.kind === 'projector' && source.devices?.includes(d.id));

// shows says whether the screen that a source leads to is lit.
function shows(source) {
  const projector = projectorOf(source);
  return !projector || property(projector.id, 'power').value === 'on';
}

// Chooser is a choice of sources. A source is "showing" when the equipment says that it is routed and
// the projector is on; before that it is chosen.
export function Chooser({device, heading}) {
  const p = propertyOf(device, 'selected'), of = condition(device.id);
  return html`<section class="chooser" data-device=${device.id} aria-label=${name(device.name)}>
    <h2>${heading ?? name(device.name)} <${Chip} of=${of} /></h2>
    <div class="tiles" role="group" aria-label=${name(device.name)}>
      ${p.options.filter(o => !o.state).map(o => html`<${Source} key=${o.value} device=${device} source=${room.value.sources.find(s => s.id === o.value)} />`)}
    </div>
    <${Reasons} device=${device} property="selected" />
  </section>`;
}

function Source({device, source}) {
  const s = look(device.id, 'selected'), player = source.player && room.value.devices.find(d => d.id === source.player);
  let note = '';
  if (s.value === source.id && s.known) note = t(shows(source) ? 'showing' : 'chosen');
  else if (player) {
    const of = condition(player.id), transport = property(player.id, 'transport').value;
    note = of === 'unfed' || of === 'offline' ? t(`state.${of}`) : transport ? either(`transport.${transport}`) : '';
  }
  return html`<${Setter} class="tile" device=${device} property="selected" value=${source.id} icon=${source.icon || 'source'} text=${name(source.name)} note=${note || ' '} />`;
}

// onScreen names what is on the screens.
export function onScreen() {
  const shown = room.value.devices.filter(d => d.kind === 'sources').map(d => room.value.sources.find(s => s.id === property(d.id, 'selected').value)).filter(Boolean);
  return shown.length ? t('on.screen', shown.map(s => name(s.name)).join(', ')) : t('nothing');
}

// Player is one page: the picture of what it plays, and its keys. It never changes what is on the
// screen, unless asked to.
export function Player({device}) {
  const s = look(device.id, 'transport'), p = propertyOf(device, 'transport');
  const sources = room.value.sources.filter(one => one.player === device.id);
  const keys = p.options.filter(o => !o.state), first = ['back', 'play', 'stop', 'forward'];
  const button = o => html`<${Setter} key=${o.value} class="key" device=${device} property="transport" value=${o.value} act=${o.act} icon=${o.value} text=${t(`transport.${o.value}`)} />`;
  return html`<div class="player">
    <${Preview} device=${device} />
    <div class="told">
      <${Card} device=${device} icon=${device.kind === 'recorder' ? 'recorder' : 'player'}>
        <p class="big" role="status">${s.known ? spoken(device, p, s.value) : t('state.unknown')}</p>
        <p class="note">${onScreen()}</p>
        ${sources.map(source => property(source.on, 'selected').value === source.id ? html`<p class="chip on"><${Icon} id="check" />${t(shows(source) ? 'showing' : 'chosen')}</p>` :
          html`<button type="button" class="set" data-put=${source.id} onClick=${() => set(source.on, 'selected', source.id)}><${Icon} id="projector" />
            <span class="label">${sources.length > 1 && projectorOf(source) ? t('put.on', name(projectorOf(source).name)) : t('put.on.screen')}</span></button>`)}
      </${Card}>
    </div>
    <div class="keys main" role="group" aria-label=${name(device.name)}>${first.map(v => keys.find(o => o.value === v)).filter(Boolean).map(button)}</div>
    <div class="keys" role="group" aria-label=${name(device.name)}>${keys.filter(o => !first.includes(o.value)).map(button)}</div>
    <${Reasons} device=${device} property="transport" />
  </div>`;
}

// Preview is the picture that the equipment itself gives of a player, whatever is on the screen.
export function Preview({device}) {
  const [failed, setFailed] = useState(0), of = condition(device.id), dark = of === 'unfed' || of === 'offline';
  // A picture that stopped is asked for again by and by.
  useEffect(() => {
    if (!failed) return undefined;
    const again = setTimeout(() => setFailed(0), 5000);
    return () => clearTimeout(again);
  }, [failed]);
  const live = device.preview && !dark && !failed && linked.value;
  return html`<figure class="preview">
    ${live ? html`<img src=${`${device.preview}?t=${useRef(Date.now()).current}`} alt=${t('preview', name(device.name))} onError=${() => setFailed(Date.now())} />` :
      html`<div class="empty"><${Icon} id=${dark ? of : 'camera'} /><span>${dark ? t(`state.${of}`) : t('preview.none')}</span></div>`}
    <figcaption>${t('preview', name(device.name))}</figcaption>
  </figure>`;
}

// sound is what the volume bar sets: on a player's page the player, elsewhere what is on the screen.
export function sound(page) {
  if (page?.device && page.device.kind !== 'camera') return {device: volumeOf(page.device), of: page.device};
  for (const chooser of room.value.devices.filter(d => d.kind === 'sources')) {
    const source = room.value.sources.find(s => s.id === property(chooser.id, 'selected').value);
    if (source) { const d = sourceVolume(source); if (d) return {device: d, of: source}; if (source) return {of: source}; }
  }
  const all = room.value.devices.filter(d => d.kind === 'amplifier' && d.area !== 'system');
  return all.length === 1 ? {device: all[0], of: all[0]} : {};
}

const every = 100; // ms between two values while a finger drags: ten a second, and the last one

// Volume is a bar under the finger. What it shows while it is dragged is the finger; otherwise what the
// equipment says. One value is under way at a time, so that the wire is never flooded.
export function Volume({device, of, flat}) {
  const bar = useRef(null), sending = useRef({busy: false, next: null}), [drag, setDrag] = useState(null);
  if (!device) return html`<aside class="volume" aria-label=${t('volume')}><span class="of">${of ? name(of.name) : t('volume')}</span><p class="note">${of ? t('volume.none') : t('nothing')}</p></aside>`;
  const p = propertyOf(device, 'volume'), s = look(device.id, 'volume'), m = look(device.id, 'mute');
  const wide = flat?.(), top = p.limit || p.max || 100;
  const at = e => {
    const box = bar.current.getBoundingClientRect();
    const part = box.width > box.height ? (e.clientX - box.left) / box.width : 1 - (e.clientY - box.top) / box.height;
    return Math.min(top, Math.round(Math.max(0, Math.min(1, part)) * ((p.max || 100) - (p.min || 0)) + (p.min || 0)));
  };
  const send = async value => {
    const q = sending.current;
    if (q.busy) { q.next = value; return; }
    q.busy = true;
    await Promise.all([set(device.id, 'volume', value), new Promise(r => setTimeout(r, every))]);
    q.busy = false;
    if (q.next !== null) { const next = q.next; q.next = null; send(next); }
  };
  const follow = e => { const v = at(e); if (v !== drag) { setDrag(v); send(v); } };
  const down = e => { if (!linked.value) return; bar.current.setPointerCapture(e.pointerId); follow(e); };
  const up = e => { if (drag === null) return; const v = at(e); if (v !== drag) send(v); setDrag(null); };
  const step = by => send(Math.max(p.min || 0, Math.min(top, (sending.current.next ?? s.asked ?? s.value ?? p.min ?? 0) + by)));
  const key = e => { const by = {ArrowUp: 5, ArrowRight: 5, ArrowDown: -5, ArrowLeft: -5}[e.key]; if (by) { e.preventDefault(); step(by); } };
  const shown = drag ?? s.asked ?? (s.known ? s.value : null), share = shown === null ? 0 : 100 * (shown - (p.min || 0)) / ((p.max || 100) - (p.min || 0));
  const cond = condition(device.id);
  return html`<aside class="volume" aria-label=${t('volume.of', name(of.name))} data-device=${device.id}>
    <span class="of">${name(of.name)}</span>
    <output class=${`${m.value === true ? 'muted ' : ''}${s.asked !== null ? 'asked' : ''}`}>${shown ?? '?'}</output>
    <button type="button" class="set" aria-label=${t('louder')} data-step="up" onClick=${() => step(5)}><${Icon} id="plus" /></button>
    <div ref=${bar} class=${`track ${s.known ? s.quality : 'unknown'}`} role="slider" tabindex="0" aria-orientation=${wide ? 'horizontal' : 'vertical'} aria-label=${t('volume.of', name(of.name))}
        aria-valuemin=${p.min || 0} aria-valuemax=${p.max || 100} aria-valuenow=${shown ?? 0} aria-valuetext=${shown === null ? t('state.unknown') : String(shown)} data-slider=${`${device.id}.volume`}
        onTouchStart=${still} onPointerDown=${down} onPointerMove=${e => drag !== null && follow(e)} onPointerUp=${up} onPointerCancel=${() => setDrag(null)} onKeyDown=${key}>
      <i class="groove"><b style=${{'--share': `${share}%`}}></b></i>
    </div>
    <button type="button" class="set" aria-label=${t('softer')} data-step="down" onClick=${() => step(-5)}><${Icon} id="minus" /></button>
    ${propertyOf(device, 'mute') && html`<button type="button" class=${`set mute${m.asked !== null && m.asked !== m.value ? ' asked' : ''}`} aria-pressed=${String(m.value === true)} data-set=${`${device.id}.mute`} onClick=${() => set(device.id, 'mute', m.value !== true)}>
      <${Icon} id=${m.value === true ? 'muted' : 'sound'} /><span class="label">${t(m.value === true ? 'muted' : 'mute')}</span></button>`}
    ${cond && cond !== 'assumed' && html`<${Chip} of=${cond} />`}
  </aside>`;
}
