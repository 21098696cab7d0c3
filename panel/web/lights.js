// Lights, curtains and screens.
import {set} from './ask.js';
import {Card, Choice, Icon, Reasons, Setter, still} from './parts.js';
import {linked, look, name, propertyOf, spoken, t, wish} from './store.js';
import {html, useRef, useState} from './vendor/ui.js';

const onOff = () => [{value: false, text: t('off')}, {value: true, text: t('on')}];

// Lamp is a circuit or light: off, on.
export const Lamp = ({device, icon = 'lights'}) => html`<${Card} device=${device} icon=${icon}>
  <${Choice} device=${device} property="power" options=${onOff()} />
  <${Reasons} device=${device} property="power" />
</${Card}>`;

// Dimmer is off and the levels of the room file, as segments.
export function Dimmer({device}) {
  const p = propertyOf(device, 'level'), s = look(device.id, 'level');
  const options = p.options.filter(o => !o.state).map(o => ({value: o.value, text: spoken(device, p, o.value)}));
  // A level that is none of these was set elsewhere.
  const other = s.known && !options.some(o => o.value === s.value) ? html`<span class="chip">${spoken(device, p, s.value)}</span>` : null;
  return html`<${Card} device=${device} icon="lights" note=${other}>
    <${Choice} device=${device} property="level" options=${options} />
    <${Reasons} device=${device} property="level" />
  </${Card}>`;
}

// Motor is a curtain or screen: stop is always live, and the bar takes it to any height.
export function Motor({device, icon = 'curtains', wide = true}) {
  const motion = look(device.id, 'motion'), position = look(device.id, 'position');
  const moving = motion.value === 'up' || motion.value === 'down' ? motion.value : '';
  const height = position.known ? t('height', position.value) : moving ? '' : t('curtains.unknown');
  // What was asked of it before is over when somebody presses stop.
  const forget = () => { wish(device.id, 'motion').value = null; wish(device.id, 'position').value = null; };
  const note = html`<span class="note" role="status">${[moving && t(`moving.${moving}`), height].filter(Boolean).join(' · ')}</span>`;
  return html`<${Card} device=${device} icon=${icon} wide=${wide} note=${wide && note}>
    ${!wide && note}
    <div class="motor">
      ${propertyOf(device, 'position')?.settable && html`<${Height} device=${device} />`}
      <div class="choice" role="group" aria-label=${name(device.name)}>
        ${['up', 'stop', 'down'].map(m => html`<${Setter} key=${m} device=${device} property="motion" value=${m} text=${t(m)} icon=${m} act=${m === 'stop'} onset=${forget}
          class=${m === moving ? 'moving' : m === 'stop' ? 'halt' : ''} />`)}
      </div>
    </div>
    <${Reasons} device=${device} property="motion" />
  </${Card}>`;
}

const coarse = 5; // per cent: finer than a finger can point

// Height is a bar that shows how high a curtain is; where it is touched, it goes.
function Height({device}) {
  const p = propertyOf(device, 'position'), s = look(device.id, 'position'), [drag, setDrag] = useState(null), bar = useRef(null);
  const at = e => {
    const box = bar.current.getBoundingClientRect();
    return Math.max(0, Math.min(100, Math.round((e.clientX - box.left) / box.width * 100 / coarse) * coarse));
  };
  const down = e => { if (!linked.value) return; bar.current.setPointerCapture(e.pointerId); setDrag(at(e)); };
  const up = e => { if (drag === null) return; const to = at(e); setDrag(null); set(device.id, 'position', to); };
  const key = e => {
    const step = {ArrowUp: coarse, ArrowRight: coarse, ArrowDown: -coarse, ArrowLeft: -coarse}[e.key];
    if (!step) return;
    e.preventDefault();
    set(device.id, 'position', Math.max(p.min || 0, Math.min(p.max, Math.round(((s.asked ?? s.value ?? 0) + step) / coarse) * coarse)));
  };
  const goal = drag ?? s.asked;
  return html`<div ref=${bar} class=${`height ${s.known ? s.quality : 'unknown'}`} role="slider" tabindex="0" aria-label=${t('height.of', name(device.name))} aria-valuemin="0" aria-valuemax="100"
      aria-valuenow=${goal ?? s.value ?? 0} aria-valuetext=${s.known ? t('height', s.value) : t('curtains.unknown')} data-slider=${`${device.id}.position`}
      onTouchStart=${still} onPointerDown=${down} onPointerMove=${e => drag !== null && setDrag(at(e))} onPointerUp=${up} onPointerCancel=${() => setDrag(null)} onKeyDown=${key}>
    <i class="fill" style=${{width: `${s.known ? s.value : 0}%`}}></i>
    ${s.known && html`<${Icon} id="down" class="end low" /><${Icon} id="up" class="end" />`}
    ${goal !== null && html`<i class="goal" style=${{left: `${goal}%`}}><b>${goal}%</b></i>`}
    ${!s.known && html`<${Icon} id="unknown" />`}
  </div>`;
}
