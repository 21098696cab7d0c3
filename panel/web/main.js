// The touch panel. It knows nothing of any one room; GET /api/v1/room tells.
import {Alarm, Vacant, obey} from './automatic.js';
import {hush, load, opened, toast, unlock} from './ask.js';
import {Dimmer, Lamp, Motor} from './lights.js';
import {Help, followReports} from './help.js';
import {connect} from './link.js';
import {Chooser, Player, Preview, Projector, Volume, sound} from './media.js';
import {Icon} from './parts.js';
import {pages, title} from './rooms.js';
import {Runs, Scene, askEnd} from './scenes.js';
import {condition, either, emergency, lang, linked, name, now, other, property, room, run, speak, spoken, t, theme} from './store.js';
import {Equipment, System} from './system.js';
import {dress} from './theme.js';
import {asking, attend, dialog, enter, entered, go, page, stage, wake} from './view.js';
import {effect, html, render, useEffect, useRef, useState} from './vendor/ui.js';

const hours = () => new Date(now.value).toLocaleTimeString(lang.value === 'zh' ? 'zh-CN' : 'en-GB', {hour: '2-digit', minute: '2-digit', timeZone: room.value.timezone || undefined});

// Dark is the panel asleep. The clock wanders, so that nothing burns into the glass.
const Dark = () => html`<main><button type="button" class="dark" onClick=${wake}><span class=${`wander at${Math.floor(now.value / 60000) % 8}`}>${hours()}</span><span class="unseen">${t('sky.touch')}</span></button></main>`;

const Sky = () => html`<main><button type="button" class="sky" onClick=${enter}>
  <i class="cloud one"></i><i class="cloud two"></i><i class="cloud three"></i>
  ${room.value.theme.logo && html`<img class="logo" src=${room.value.theme.logo} alt="" />`}
  <span class="welcome">${t('sky.welcome')}</span><h1>${name(room.value.name)}</h1>
  <span class="touch">${t('sky.touch')}</span><span class="also" lang=${lang.value === 'zh' ? 'en' : 'zh'}>${other('sky.touch')}</span>
  <span class="foot"><span>${hours()}</span>${room.value.help && html`<span>${t('help', room.value.help)}</span>`}</span>
</button></main>`;

const longest = 12;

// Keypad asks for the PIN of an area.
function Keypad({area}) {
  const [pin, setPin] = useState(''), [told, setTold] = useState(null), [busy, setBusy] = useState(false);
  const wait = told?.until ? Math.max(0, Math.ceil((told.until - Date.now()) / 1000)) : 0;
  void now.value; // the wait counts down
  const enterPin = async () => {
    if (!pin || busy || wait) return;
    setBusy(true);
    const answer = await unlock(area, pin);
    setBusy(false);
    setPin('');
    if (answer === null) setTold({text: t('said.silent')});
    else if (!answer.failed) entered(area);
    else if (answer.retry_after) setTold({until: Date.now() + answer.retry_after * 1000, own: answer.tries_left !== undefined});
    else if (answer.tries_left !== undefined) setTold({left: answer.tries_left});
    else setTold({text: (lang.value === 'zh' && answer.zh) || answer.detail});
  };
  const type = d => { if (!wait && pin.length < longest) setPin(pin + d); };
  useEffect(() => {
    const key = e => {
      if (/^[0-9]$/.test(e.key)) type(e.key); else if (e.key === 'Backspace') setPin(pin.slice(0, -1)); else if (e.key === 'Enter' && e.target === document.body) enterPin(); else if (e.key === 'Escape') asking.value = '';
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  });
  const text = wait ? t(told.own ? 'pin.wait' : 'pin.crowd', wait) : told?.left !== undefined ? t('pin.wrong', told.left) : told?.text || '';
  return html`<main class="keypad">
    <h1>${t(`pin.${area}`)}</h1>
    <p class="dots" role="status" aria-label=${t('pin.digits', pin.length)}>${'●'.repeat(pin.length) || html`<span class="faint">○○○○</span>`}</p>
    <p class="told" role="alert">${text && html`<${Icon} id=${wait ? 'stale' : 'fault'} />`}${text}</p>
    <div class="keys">
      ${[...'123456789'].map(d => html`<button type="button" class="set" key=${d} data-key=${d} onClick=${() => type(d)}>${d}</button>`)}
      <button type="button" class="set" data-key="delete" aria-label=${t('pin.delete')} onClick=${() => setPin(pin.slice(0, -1))}><${Icon} id="delete" /></button>
      <button type="button" class="set" data-key="0" onClick=${() => type('0')}>0</button>
      <button type="button" class="set enter" data-key="enter" aria-disabled=${wait || !pin ? 'true' : undefined} aria-busy=${busy ? 'true' : undefined} onClick=${enterPin}><span class="label">${t('pin.enter')}${lang.value === 'zh' && html`<br /><small>ENTER</small>`}</span></button>
    </div>
    <button type="button" class="set leave" data-key="back" onClick=${() => { asking.value = ''; }}><span class="label">${t('back')}</span></button>
  </main>`;
}

// status is the one line that says how the room is.
function status() {
  if (emergency()?.on) return {icon: 'fault', text: name(emergency().reason)};
  if (emergency()?.fault) return {icon: 'fault', text: t('alarm.fault')};
  const r = room.value, busy = r.scenes.map(s => [s, run(s.id)]).find(([, one]) => one && (one.state === 'asking' || one.state === 'running' || one.state === 'unwinding'));
  if (busy) return {icon: busy[1].state === 'asking' ? 'fault' : 'busy', text: busy[1].state === 'asking' ? t('room.asking', name(busy[0].name)) : [name(busy[0].name), busy[1].left ? t('about', busy[1].left) : t('run.running')].join(' · ')};
  const faults = r.devices.filter(d => ['offline', 'fault'].includes(condition(d.id))).length;
  if (faults) return {icon: 'fault', text: t('room.faults', faults)};
  const rack = r.devices.filter(d => d.area === 'system' && d.kind === 'circuit');
  if (rack.length && rack.every(d => property(d.id, 'power').value === false)) return {icon: 'unfed', text: t('room.off')};
  return {icon: 'check', text: t('room.ready')};
}

function Bar() {
  const s = status();
  return html`<header>
    ${room.value.theme.logo && html`<img class="logo" src=${room.value.theme.logo} alt="" />`}
    <h1>${name(room.value.name)}</h1>
    <p class="status" role="status"><${Icon} id=${s.icon} turn=${s.icon === 'busy'} /><span>${s.text}</span></p>
    <time>${hours()}</time>
    <${Help} />
    <button type="button" class="set" id="lang" lang=${lang.value === 'zh' ? 'en' : 'zh'} onClick=${() => speak(lang.value === 'zh' ? 'en' : 'zh')}><span class="label">${t('lang.other')}</span></button>
    <button type="button" class="set" id="end" onClick=${askEnd}><${Icon} id="end" /><span class="label">${t('end')}</span></button>
  </header>`;
}

function Nav({all, at}) {
  const bar = useRef(null);
  useEffect(() => bar.current.querySelector('[aria-current]')?.scrollIntoView({block: 'nearest', inline: 'nearest'}), [at.id]);
  return html`<nav ref=${bar} aria-label=${t('nav')}>${all.map(p => html`<button type="button" class="set" key=${p.id} data-page=${p.id} aria-current=${p === at ? 'page' : undefined} onClick=${() => go(p.id)}>
    <${Icon} id=${p.icon} /><span class="label">${title(p)}</span></button>`)}</nav>`;
}

// gist is what a page would say in one line.
function gist(p) {
  if (p.id === 'lights') {
    const on = p.devices.filter(d => { const v = property(d.id, d.kind === 'dimmer' ? 'level' : 'power').value; return v === true || typeof v === 'string' && v !== 'off'; }).length;
    return on ? t('lights.summary', on) : t('lights.none');
  }
  if (p.id === 'curtains') {
    const moving = p.devices.map(d => property(d.id, 'motion').value).find(m => m === 'up' || m === 'down');
    if (moving) return t(`moving.${moving}`);
    const known = p.devices.map(d => property(d.id, 'position').value).filter(v => v !== null);
    return known.length ? t('curtains.summary', known.filter(v => v > 0).length) : t('curtains.unknown');
  }
  const d = p.device || p.devices.find(one => one.kind === 'projector'), of = d && condition(d.id);
  if (!d) return '';
  if (of === 'unfed' || of === 'offline' || of === 'fault' || of === 'unknown') return t(`state.${of}`);
  if (d.kind === 'projector') return either(property(d.id, 'power').value);
  return d.kind === 'camera' ? '' : either(`transport.${property(d.id, 'transport').value}`);
}

const Home = ({of}) => html`
  ${of.choosers.map(d => html`<${Chooser} key=${d.id} device=${d} />`)}
  ${of.scenes.length > 0 && html`<section><h2>${t('scenes')}</h2><div class="scenes">${of.scenes.map(s => html`<${Scene} key=${s.id} scene=${s} />`)}</div></section>`}
  <${Runs} scenes=${of.scenes} />
  <div class="links">${of.links.filter(p => p.id !== 'sound').map(p => html`<button type="button" class="set link" key=${p.id} data-go=${p.id} onClick=${() => go(p.id)}>
    <${Icon} id=${p.icon} /><span class="label">${title(p)}</span><small>${gist(p) || ' '}</small></button>`)}</div>
  ${of.sensors.length > 0 && html`<p class="sensors">${of.sensors.map(d => html`<span key=${d.id}><${Icon} id="sensor" />${name(d.name)} ${d.properties.map(p => spoken(d, p, property(d.id, p.name).value)).join(' ')}</span>`)}</p>`}`;

function Page({of}) {
  if (of.id === 'home') return html`<${Home} of=${of} />`;
  if (of.id === 'system') return html`<${System} page=${of} />`;
  const scenes = of.scenes?.length > 0 && html`<div class="scenes">${of.scenes.map(s => html`<${Scene} key=${s.id} scene=${s} icon=${of.icon} />`)}</div><${Runs} scenes=${of.scenes} />`;
  if (of.device) return html`${scenes}${of.device.kind === 'camera' ? html`<${Preview} device=${of.device} />` : html`<${Player} device=${of.device} />`}`;
  return html`${scenes}<div class=${`grid ${of.id}`}>${of.devices.map(d => {
    switch (d.kind) {
      case 'dimmer': return html`<${Dimmer} key=${d.id} device=${d} />`;
      case 'light': case 'circuit': return html`<${Lamp} key=${d.id} device=${d} />`;
      case 'curtain': return html`<${Motor} key=${d.id} device=${d} />`;
      case 'screen': return html`<${Motor} key=${d.id} device=${d} icon="screen" wide=${of.id === 'curtains'} />`;
      case 'projector': return html`<${Projector} key=${d.id} device=${d} />`;
      case 'sources': return html`<${Chooser} key=${d.id} device=${d} />`;
      case 'amplifier': return html`<div class="row" key=${d.id}><${Volume} device=${d} of=${d} flat=${() => true} /></div>`;
      default: return html`<${Equipment} key=${d.id} device=${d} />`;
    }
  })}</div>`;
}

// narrow is a tablet held upright or a phone: the bars lie at the bottom.
const narrow = matchMedia('(max-width: 899px)');

function Room() {
  const all = pages.value, at = all.find(p => p.id === page.value) || all[0], main = useRef(null);
  useEffect(() => { main.current.scrollTop = 0; }, [at.id]);
  const s = at.id === 'system' ? null : sound(at), rail = s && (room.value.devices.some(d => d.kind === 'amplifier') || s.device);
  return html`<div class=${`room${rail ? ' loud' : ''}`}>
    <${Bar} /><${Nav} all=${all} at=${at} />
    <main ref=${main} class=${`page ${at.device ? 'device' : at.id}`} data-page=${at.id} inert=${!linked.value}><h2 class="unseen">${title(at)}</h2><${Page} key=${at.id} of=${at} /></main>
    ${rail && html`<${Volume} key=${s.device?.id} device=${s.device} of=${s.of} flat=${() => narrow.matches} />`}
  </div>`;
}

function Toast() {
  const s = toast.value;
  return html`<div class="toasts" aria-live="polite">${s && html`<div class=${`toast${s.fault ? ' fault' : ''}`} role=${s.fault ? 'alert' : 'status'}>
    <${Icon} id=${s.fault ? 'fault' : 'check'} /><span>${s.text}</span>
    ${s.retry && html`<button type="button" class="set" data-retry onClick=${() => { const again = s.retry; hush(); again(); }}><span class="label">${t('retry')}</span></button>`}
    <button type="button" class="set" aria-label=${t('close')} onClick=${hush}><${Icon} id="cross" /></button></div>`}</div>`;
}

// Ask is a question over everything.
function Ask() {
  const ref = useRef(null), d = dialog.value;
  useEffect(() => { if (d && !ref.current.open) ref.current.showModal(); if (!d && ref.current.open) ref.current.close(); }, [d]);
  return html`<dialog ref=${ref} aria-labelledby="asked" onClose=${() => { dialog.value = null; }}>${d && html`
    <h2 id="asked">${d.title}</h2>${d.text && html`<p>${d.text}</p>`}
    <div class="answers">${d.answers.map(a => html`<button type="button" class=${`set${a.main ? ' main' : ''}`} data-answer=${a.id} onClick=${a.act}><${Icon} id=${a.icon} /><span class="label">${a.text}</span></button>`)}</div>`}
  </dialog>`;
}

const Cover = () => !linked.value && html`<div class="cover" role="alert"><${Icon} id="offline" /><div><b>${t('lost')}</b><p>${t('lost.why')}</p></div></div>`;

function App() {
  if (!room.value) return null;
  const what = asking.value ? html`<${Keypad} key=${asking.value} area=${asking.value} />` : stage.value === 'dark' ? html`<${Dark} />` : stage.value === 'sky' ? html`<${Sky} />` : html`<${Room} />`;
  return html`<${Alarm} />${what}<${Cover} /><${Toast} /><${Ask} /><${Vacant} />`;
}

// Under the finger a button changes at once, before anything is computed.
function press() {
  let under = null;
  const up = () => { under?.classList.remove('pressed'); under = null; };
  addEventListener('pointerdown', e => { up(); under = e.target.closest?.('button'); under?.classList.add('pressed'); }, {capture: true, passive: true});
  for (const event of ['pointerup', 'pointercancel', 'blur']) addEventListener(event, up, true);
  // A panel is no page: nothing to select, to drag or to open by a long touch.
  for (const event of ['contextmenu', 'dragstart', 'selectstart']) addEventListener(event, e => e.preventDefault());
}

press();
attend();
await Promise.all([load(), opened()]);
effect(() => { document.documentElement.lang = lang.value; document.title = name(room.value.name); });
effect(() => dress(theme.value || room.value.theme.mode, room.value.theme.accent));
obey();
render(html`<${App} />`, document.getElementById('panel'));
connect();
followReports();
