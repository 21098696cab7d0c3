// What happens by itself: the tab that shows and switches it, the question before a meeting is ended, and
// the banner of an alarm.
import {call, say} from './ask.js';
import {Icon, time} from './parts.js';
import {automatics, automatic, either, emergency, lang, left, name, t} from './store.js';
import {dialog} from './view.js';
import {effect, html, useEffect, useRef} from './vendor/ui.js';

const icons = {schedule: 'stale', rule: 'rule', auto_off: 'end'};

// turn switches something on or off; how it stands comes back by the stream.
async function turn(a) {
  const answer = await call('POST', `/api/v1/automatic/${a.kind}/${a.id}`, {on: !a.on});
  if (answer === null || answer.failed) say(answer === null ? t('said.silent') : (lang.value === 'zh' && answer.zh) || answer.detail, {fault: true});
}

export const Automatic = () => html`<ul class="list auto" tabindex="0" aria-label=${t('tab.automatic')}>
  ${automatics.value.length === 0 && html`<li>${t('auto.none')}</li>`}
  ${automatics.value.map(automatic).filter(Boolean).map(a => html`<li key=${a.kind + a.id} data-automatic=${`${a.kind}.${a.id}`}><${Icon} id=${icons[a.kind]} /><b>${name(a.name)}<small>${t(`auto.${a.kind}`)}
    ${a.next ? ` · ${t('auto.next', time(a.next))}` : ''}${a.last ? ` · ${t('auto.last', {n: time(a.last), what: either(`result.${a.outcome}`)})}` : ''}${name(a.reason) ? ` · ${name(a.reason)}` : ''}</small></b>
    <button type="button" class="set" role="switch" aria-checked=${String(a.on)} aria-label=${name(a.name)} data-switch=${`${a.kind}.${a.id}`} onClick=${() => turn(a)}>
      <${Icon} id=${a.on ? 'check' : 'cross'} /><span class="label">${t(a.on ? 'on' : 'off')}</span></button></li>`)}
</ul>`;

const clock = s => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;

// Vacant asks on every panel, asleep or locked, whether somebody is here. Any touch is an answer.
export function Vacant() {
  const ref = useRef(null), asks = automatics.value.map(automatic).filter(a => a?.until && left(a.until) > 0).sort((a, b) => (a.until < b.until ? -1 : 1))[0];
  const on = Boolean(asks);
  useEffect(() => { if (on && !ref.current.open) ref.current.showModal(); if (!on && ref.current.open) ref.current.close(); }, [on]);
  const here = async () => { if (await call('POST', '/api/v1/presence') === null) say(t('said.silent'), {fault: true}); };
  return html`<dialog class="vacant" ref=${ref} aria-labelledby="vacant" onPointerDown=${here} onCancel=${e => { e.preventDefault(); here(); }}>${asks && html`
    <h2 id="vacant">${t('vacant')}</h2><p>${t('vacant.what', name(asks.name))}</p><p class="count" role="timer">${clock(left(asks.until))}</p>
    <div class="answers"><button type="button" class="set main" data-answer="here" onClick=${e => { if (e.detail === 0) here(); }}><${Icon} id="hand" /><span class="label">${t('vacant.keep')}</span></button></div>`}
  </dialog>`;
}

// Alarm stands over everything while an alarm lasts, in both languages: who is here may be a guest.
export const Alarm = () => emergency()?.on && html`<div class="alarm" role="alert"><${Icon} id="fault" />
  <p><b lang="zh">${emergency().reason.zh || emergency().reason.en}</b> <span lang="en">${emergency().reason.en || emergency().reason.zh}</span></p></div>`;

// obey takes questions away that nobody has time for now.
export const obey = () => effect(() => { if (emergency()?.on) dialog.value = null; });
