// Scenes: buttons, buttons that must be held, and what a run is doing.
import {call, cancel, decide, start} from './ask.js';
import {Icon} from './parts.js';
import {left, linked, name, now, room, run, t} from './store.js';
import {dialog, lock} from './view.js';
import {html, signal, useEffect, useRef, useState} from './vendor/ui.js';

// live says whether a run goes on.
const live = r => Boolean(r) && ['running', 'asking', 'unwinding'].includes(r.state);

const icons = {running: 'busy', asking: 'fault', unwinding: 'undo', finished: 'check', waiting: 'todo', failed: 'fault', skipped: 'skip', cancelled: 'cross', undone: 'undo'};

// endOf is the scene that ends a meeting, where the room has one.
export const endOf = () => room.value.scenes.find(s => s.id === room.value.end);

// askEnd asks whether the meeting is over. Ending locks the panel.
export function askEnd() {
  const scene = endOf();
  const close = {text: t('cancel'), icon: 'cross', id: 'no', act: () => { dialog.value = null; }};
  dialog.value = scene ? {
    title: t('end.ask'), text: t('end.does', name(scene.name)), answers: [
      {text: t('end'), icon: 'end', main: true, id: 'end', act: async () => { if (await start(scene, {confirm: true})) lock(); else dialog.value = null; }},
      {text: t('end.only'), icon: 'lock', id: 'lock', act: lock}, close,
    ],
  } : {title: t('end.ask'), text: '', answers: [{text: t('end.lock'), icon: 'lock', main: true, id: 'lock', act: lock}, close]};
}

// under is what stands under the name of a scene that is running.
function under(r) {
  const at = r.steps.findIndex(s => s.state === 'running' || s.state === 'asking');
  const step = at >= 0 ? `${t('run.step', {i: at + 1, n: r.steps.length})} ` : '';
  return step + (r.left ? t('about', r.left) : t(`run.${r.state}`));
}

// Scene is the button of a scene.
export function Scene({scene, icon = 'scene'}) {
  const r = run(scene.id);
  if (scene.hold) return html`<${Hold} scene=${scene} />`;
  const press = () => { if (scene.id === room.value.end) askEnd(); else start(scene); };
  return html`<button type="button" class=${`set scene${live(r) ? ' asked' : ''}`} data-scene=${scene.id} aria-busy=${live(r) ? 'true' : undefined} onClick=${press}>
    <${Icon} id=${live(r) ? 'busy' : scene.id === room.value.end ? 'end' : icon} turn=${live(r)} /><span class="label">${name(scene.name)}</span>${live(r) && html`<small>${under(r)}</small>`}
  </button>`;
}

const drift = 24; // px a finger may wander on a button it holds

// Hold is a button that must be held. The ring is for the eye: how long it was held the controller
// measures. Letting go before the end, sliding off or losing the connection does nothing. Who cannot
// hold finds another way beside it.
function Hold({scene}) {
  const r = run(scene.id), [held, setHeld] = useState(null), finger = useRef(null);
  const drop = () => { clearTimeout(finger.current?.timer); finger.current = null; setHeld(null); };
  useEffect(() => drop, []);
  useEffect(() => { if (!linked.value) drop(); }, [linked.value]);
  const down = async e => {
    if (finger.current || e.button > 0 || !linked.value) return;
    e.currentTarget.setPointerCapture?.(e.pointerId);
    const mine = finger.current = {id: e.pointerId, x: e.clientX, y: e.clientY, timer: 0};
    setHeld('begun');
    const answer = await call('POST', `/api/v1/scenes/${scene.id}/hold`);
    if (finger.current !== mine) return; // let go before
    if (!answer || answer.failed) { drop(); return; }
    setHeld('counting');
    mine.timer = setTimeout(() => { if (finger.current === mine) { drop(); start(scene, {hold: answer.hold}); } }, scene.hold * 1000 + 20);
  };
  const move = e => { const f = finger.current; if (f && Math.hypot(e.clientX - f.x, e.clientY - f.y) > drift) drop(); };
  const confirm = () => {
    dialog.value = {title: t('hold.sure', name(scene.name)), text: '', answers: [
      {text: t('yes'), icon: 'check', main: true, id: 'yes', act: () => { dialog.value = null; start(scene, {confirm: true}); }},
      {text: t('cancel'), icon: 'cross', id: 'no', act: () => { dialog.value = null; }},
    ]};
  };
  const on = live(r);
  // A key press or a screen reader clicks without a finger: it is asked instead.
  return html`<div class="holding">
    <button type="button" class=${`set hold${on ? ' blink' : ''}${held ? ' held' : ''}`} data-scene=${scene.id} aria-busy=${on ? 'true' : undefined} style=${{'--hold': `${scene.hold}s`}}
        onPointerDown=${down} onPointerMove=${move} onPointerUp=${drop} onPointerCancel=${drop} onClick=${e => { if (e.detail === 0) confirm(); }}>
      <svg class=${`ring${held === 'counting' ? ' fills' : ''}`} viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="16" pathLength="100" /><circle class="full" cx="18" cy="18" r="16" pathLength="100" /></svg>
      <span class="label">${name(scene.name)}</span><small>${on ? under(r) : held ? t('hold.on') : t('hold', scene.hold)}</small>
    </button>
    <button type="button" class="set else" data-confirm=${scene.id} onClick=${confirm}><${Icon} id="hand" /><span class="label">${t('hold.else')}</span></button>
  </div>`;
}

const fresh = 8000; // ms that a run which ended well is told of

const seen = signal({}); // runs that somebody has closed, by id

// told lists the runs to show: those that go on, that did not end well, or that ended just now.
export const told = scenes => scenes.map(s => [s, run(s.id)]).filter(([, r]) => r && !seen.value[r.id] &&
  (live(r) || r.state !== 'finished' && r.state !== 'cancelled' || now.value - new Date(r.ended) < fresh));

// Runs shows them, each with its steps.
export function Runs({scenes}) {
  return told(scenes).map(([scene, r]) => html`<section class=${`run ${r.state}`} key=${scene.id} aria-label=${name(scene.name)} data-run=${scene.id}>
    <h3><${Icon} id=${icons[r.state]} turn=${r.state === 'running'} /><span class="grow">${name(scene.name)}</span>
      <span class="note" role="status">${t(`run.${r.state}`)}${live(r) && r.left ? ` · ${t('about', r.left)}` : ''}</span></h3>
    ${r.state === 'asking' && html`<p class="reason fault" role="alert"><${Icon} id="fault" />${t('run.ask', name(r.steps.find(s => s.state === 'asking' || s.state === 'failed')?.name))} ${name(r.reason)}</p>`}
    ${!live(r) && r.state !== 'finished' && name(r.reason) && html`<p class="reason"><${Icon} id="fault" />${name(r.reason)}</p>`}
    <ol class="steps">${r.steps.map(s => html`<li class=${s.state}><${Icon} id=${icons[s.state]} turn=${s.state === 'running'} /><span>${name(s.name)}</span>
      <small>${t(`run.${s.state}`)}${s.until && s.state === 'running' && left(s.until) ? ` ${t('about', left(s.until))}` : ''}${name(s.reason) && s.state !== 'waiting' ? ` · ${name(s.reason)}` : ''}</small></li>`)}</ol>
    <div class="choice">
      ${r.state === 'asking' ? ['retry', 'skip', 'unwind', 'stop'].map(d => html`<button type="button" class="set" data-decide=${d} onClick=${() => decide(scene, d)}><span class="label">${t(`do.${d}`)}</span></button>`) :
        live(r) ? html`<button type="button" class="set" data-cancel=${scene.id} onClick=${() => cancel(scene)}><${Icon} id="cross" /><span class="label">${t('cancel')}</span></button>` :
        html`${r.state !== 'finished' && !scene.hold && html`<button type="button" class="set" onClick=${() => start(scene)}><${Icon} id="undo" /><span class="label">${t('retry')}</span></button>`}
          <button type="button" class="set" data-close=${scene.id} onClick=${() => { seen.value = {...seen.value, [r.id]: true}; }}><${Icon} id="check" /><span class="label">${t('close')}</span></button>`}
    </div>
  </section>`);
}
