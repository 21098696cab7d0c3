// Help and 报修: a finger tells staff what is wrong, and the panel shows when they have answered.
import {call, say} from './ask.js';
import {Icon} from './parts.js';
import {lang, linked, open, room, t} from './store.js';
import {dialog} from './view.js';
import {effect, html, signal} from './vendor/ui.js';

const reports = signal([]); // what panels have reported and is not closed, newest first
const every = 15000;
const served = () => room.value.areas.includes('staff');
const clock = at => new Date(at).toLocaleTimeString(lang.value === 'zh' ? 'zh-CN' : 'en-GB', {hour: '2-digit', minute: '2-digit'});
const waiting = () => reports.value.some(r => !r.answered && r.state === 'open');

// look asks how far the reports are. An answer of staff is said once.
async function look() {
  if (!linked.value || !open('main')) return;
  const answer = await call('GET', '/api/v1/orders');
  if (!answer || answer.failed) return;
  for (const r of answer.orders) if (r.answered && reports.value.some(o => o.id === r.id && !o.answered)) say(t('report.answered', clock(r.answered)));
  reports.value = answer.orders;
}

let asking;
export function followReports() {
  effect(() => { if (room.value && served() && open('main') && !asking) { asking = setInterval(look, every); look(); } });
}

async function report(symptom, device) {
  dialog.value = null;
  const answer = await call('POST', '/api/v1/orders', {symptom: `${symptom.zh} / ${symptom.en}`, device});
  if (answer === null || answer.failed) { say(answer ? (lang.value === 'zh' && answer.zh) || answer.detail : t('said.silent'), {fault: true}); return; }
  reports.value = [answer, ...reports.value];
  say(t('report.sent', answer.id));
}

// what can be wrong, in both languages: staff may read the other one.
const symptoms = () => {
  const beam = room.value.devices.find(d => d.kind === 'projector')?.id;
  return [['picture', 'projector', beam], ['sound', 'sound', undefined], ['lights', 'lights', undefined], ['come', 'hand', undefined]]
    .map(([id, icon, device]) => ({id, icon, text: t(`report.${id}`), act: () => report({zh: t(`report.${id}`, {}, 'zh'), en: t(`report.${id}`, {}, 'en')}, device)}));
};

function ask() {
  const last = reports.value[0];
  const text = last ? (last.answered ? t('report.was', {n: clock(last.opened), m: clock(last.answered)}) : t('report.waits', clock(last.opened))) : t('report.about');
  dialog.value = {title: t('report'), text, answers: [...symptoms(), {id: 'no', icon: 'cross', text: t('cancel'), act: () => { dialog.value = null; }}]};
}

// Help is in the bar: the number of the help desk, and where staff have a tablet a way to reach it.
export function Help() {
  const number = room.value.help, words = number ? t('help', number) : t('report');
  if (!served()) return number && html`<span class="help"><${Icon} id="help" />${words}</span>`;
  return html`<button type="button" class=${`set${waiting() ? ' asked' : ''}`} id="help" aria-label=${`${words}, ${t('report')}`} onClick=${ask}><${Icon} id=${waiting() ? 'stale' : 'help'} /><span class="label">${words}</span></button>`;
}
