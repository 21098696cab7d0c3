// The small parts that every page is made of.
import {say, set} from './ask.js';
import {because, condition, lang, lock, look, name, room, seen, t} from './store.js';
import {html} from './vendor/ui.js';

const icons = new URL('icons.svg', import.meta.url).href;

// time is a day and a time by the room's own clock.
export const time = at => at ? new Date(at).toLocaleString(lang.value === 'zh' ? 'zh-CN' : 'en-GB', {month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', timeZone: room.value.timezone || undefined}) : '';

// Icon is a picture beside a word; alone it would need one.
export const Icon = ({id, turn, class: extra = ''}) => html`<svg class=${`icon ${extra}${turn ? ' turn' : ''}`} aria-hidden="true"><use href=${`${icons}#${id}`} /></svg>`;

// Chip tells a condition by shape and word; nothing where all is well.
export function Chip({of, since}) {
  if (!of) return null;
  return html`<span class=${`chip ${of}`}><${Icon} id=${of} />${t(`state.${of}`)}${since ? ` ${since}` : ''}</span>`;
}

// Card is a device: its name, what is wrong with it, and what can be done with it.
export function Card({device, icon, note, wide, busy, children}) {
  // What is in motion is on its way to be known.
  const is = condition(device.id), of = busy && is === 'assumed' ? '' : is;
  return html`<section class=${`card ${of}${wide ? ' wide' : ''}`} data-device=${device.id} aria-label=${name(device.name)}>
    <h3>${icon && html`<${Icon} id=${icon} />`}<span class="grow">${name(device.name)}</span>${note}<${Chip} of=${of} since=${seen(device.id)} /></h3>
    ${children}
  </section>`;
}

// Setter is a button that sets one property to one value. It shows whether that is so (filled, with
// a check), whether it is asked for and not confirmed (amber, dashed), and whether it would be refused
// (a lock): pressing it then says why and for how long. An act is never so; it is done.
export function Setter({device, property, value, icon, text, note, act, class: extra = '', onset}) {
  const s = look(device.id, property), shut = lock(device.id, property, value);
  const on = !act && s.known && s.value === value, asked = s.asked === value && !on;
  const press = () => {
    if (shut) { say(because(shut), {fault: true}); return; }
    onset?.();
    set(device.id, property, value);
  };
  return html`<button type="button" class=${`set ${extra}${asked ? ' asked' : ''}${shut ? ' shut' : ''}${value === false || value === 'off' ? ' nought' : ''}${on && s.quality !== 'reported' ? ' unsure' : ''}`}
      aria-pressed=${act ? undefined : String(on)} aria-busy=${asked ? 'true' : undefined} aria-disabled=${shut ? 'true' : undefined}
      data-set=${`${device.id}.${property}=${value}`} onClick=${press}>
    ${shut ? html`<${Icon} id="lock" />` : asked ? html`<${Icon} id="busy" turn />` : icon ? html`<${Icon} id=${icon} />` : null}
    ${on && html`<${Icon} id="check" class="so" />`}
    <span class="label">${text}</span>${note && html`<small>${note}</small>`}
  </button>`;
}

// Choice is a row of setters of which one is so.
export const Choice = ({device, property, options, label}) => html`<div class=${options.every(o => o.text.length <= 4) ? 'choice segments' : 'choice'} role="group" aria-label=${label || name(device.name)}>
  ${options.map(o => html`<${Setter} key=${String(o.value)} device=${device} property=${property} value=${o.value} text=${o.text} icon=${o.icon} />`)}
</div>`;

// still keeps the browser from making a gesture of a drag on a bar: after a flick it takes the next tap
// for the end of a fling and swallows it.
export const still = e => e.preventDefault();

// Reasons are the locks of a property, in words, under its buttons.
export function Reasons({device, property}) {
  const s = look(device.id, property);
  const shut = (s.locks || []).filter(l => !l.values || l.values.some(v => v !== s.value));
  if (s.slow) return html`<p class="reason" role="status"><${Icon} id="stale" />${t('state.slow')}</p>`;
  return shut.map(l => html`<p class="reason"><${Icon} id="lock" />${because(l)}</p>`);
}
