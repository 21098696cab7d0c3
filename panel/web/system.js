// The system page: power, health, equipment, wires, what happens by itself, log, settings.
import {call} from './ask.js';
import {Automatic} from './automatic.js';
import {Dimmer, Lamp, Motor} from './lights.js';
import {Card, Chip, Choice, Icon, time} from './parts.js';
import {Runs, Scene, told} from './scenes.js';
import {automatic, automatics, build, condition, either, emergency, lang, line, lines, name, property, propertyOf, reach, reload, room, simulated, speak, spoken, staff, storage, t, theme, wear} from './store.js';
import {html, signal, useEffect, useState} from './vendor/ui.js';
import {Wires} from './wires.js';

const tab = signal('power');
const icons = {power: 'power', health: 'check', equipment: 'matrix', wires: 'wires', automatic: 'automatic', log: 'log', settings: 'system'};

export function System({page}) {
  const circuits = page.devices.filter(d => d.kind === 'circuit' || d.kind === 'light'), others = page.devices.filter(d => !circuits.includes(d));
  const tabs = ['power', 'health', ...(others.length ? ['equipment'] : []), ...(lines.value.length ? ['wires'] : []), 'automatic', 'log', 'settings'], at = tabs.includes(tab.value) ? tab.value : 'power';
  return html`<div class="tabs" role="tablist">${tabs.map(id => html`<button type="button" role="tab" class="set" aria-selected=${String(id === at)} data-tab=${id} onClick=${() => { tab.value = id; }}>
      <${Icon} id=${icons[id]} /><span class="label">${t(`tab.${id}`)}</span></button>`)}</div>
    <div class="panel" role="tabpanel">
      ${at === 'power' && html`<div class="scenes">${page.scenes.map(s => html`<${Scene} key=${s.id} scene=${s} />`)}</div><${Runs} scenes=${page.scenes} />
        <div class="grid small" hidden=${told(page.scenes).length > 0}>${circuits.map(d => html`<${Lamp} key=${d.id} device=${d} icon="circuit" />`)}</div>`}
      ${at === 'health' && html`<${Health} />`}
      ${at === 'equipment' && html`<div class="grid">${others.map(d => html`<${Equipment} key=${d.id} device=${d} />`)}</div>`}
      ${at === 'wires' && html`<${Wires} />`}
      ${at === 'automatic' && html`<${Automatic} />`}
      ${at === 'log' && html`<${Log} />`}
      ${at === 'settings' && html`<${Settings} />`}
    </div>`;
}

// Equipment is any device: every property that can be set, and the others to read.
export function Equipment({device}) {
  if (device.kind === 'dimmer') return html`<${Dimmer} device=${device} />`;
  if (device.kind === 'circuit' || device.kind === 'light') return html`<${Lamp} device=${device} />`;
  if (device.kind === 'curtain' || device.kind === 'screen') return html`<${Motor} device=${device} />`;
  const options = p => p.type === 'bool' ? [{value: false, text: t('off')}, {value: true, text: t('on')}] : p.options.filter(o => !o.state).map(o => ({value: o.value, text: spoken(device, p, o.value)}));
  return html`<${Card} device=${device} wide icon=${device.kind === 'matrix' ? 'matrix' : 'source'}>
    ${device.properties.map(p => p.settable && (p.type === 'bool' || p.type === 'enum') ? html`<${Choice} device=${device} property=${p.name} label=${p.name} options=${options(p)} />` :
      property(device.id, p.name).value !== null && html`<p class="note">${either(p.name)} ${spoken(device, p, property(device.id, p.name).value)}</p>`)}
  </${Card}>`;
}

// What is wrong comes first.
function Health() {
  const devices = room.value.devices.filter(d => d.kind !== 'sources' && d.kind !== 'camera')
    .map(d => ({d, of: condition(d.id), r: reach(d.id)})).sort((a, b) => Boolean(b.of) - Boolean(a.of));
  return html`<ul class="list" tabindex="0">
    ${reload.value?.wrong > 0 && html`<${NotTaken} last=${reload.value} />`}
    ${emergency()?.fault && html`<li class="bad"><b>${t('alarm.line')}</b><${Chip} of="fault" /><small>${t('alarm.fault')}</small></li>`}
    ${staff.value?.maintenance && html`<li data-maintenance><b>${t('maintenance')}</b><small>${t('maintenance.until', time(staff.value.maintenance))}</small></li>`}
    ${!storage.value.ok && html`<li class="bad"><b>${t('health.storage')}</b><${Chip} of="fault" /><small>${t('health.since', time(storage.value.since))} ${storage.value.error || ''}</small></li>`}
    ${lines.value.map(id => line(id)).filter(l => l && !l.up).map(l => html`<li class="bad"><b>${t('health.line')} ${l.line}</b><${Chip} of="offline" /><small>${t('health.since', time(l.since))} ${l.error || ''}</small></li>`)}
    ${devices.map(({d, of, r}) => html`<li class=${of === 'offline' || of === 'fault' ? 'bad' : ''}><b>${name(d.name)}</b>
      ${of ? html`<${Chip} of=${of} />` : html`<span class="chip ok"><${Icon} id="check" />${t('state.ok')}</span>`}
      <small>${property(d.id, 'lamp').value !== null ? t('lamp', property(d.id, 'lamp').value) : ''} ${r.since ? t('health.since', time(r.since)) : ''} ${of === 'offline' ? r.error || '' : property(d.id, 'fault').value || ''}</small></li>`)}
  </ul>`;
}

// NotTaken is a room file that was read again and not taken, with what is wrong with it.
function NotTaken({last}) {
  const [faults, setFaults] = useState([]);
  useEffect(() => { call('GET', '/api/v1/reload').then(a => a && !a.failed && setFaults(a.faults)); }, [last.time]);
  return html`<li class="bad" data-reload><b>${t('reload.kept')}</b><small>${t('reload.wrong', {n: last.wrong, at: time(last.time)})}</small>
    ${faults.map(f => html`<small>${f}</small>`)}</li>`;
}

// whatOf is what an entry of the journal is about.
function whatOf(e) {
  if (e.scene) return `${name(room.value.scenes.find(s => s.id === e.scene)?.name) || name(automatics.value.map(automatic).find(a => a?.id === e.scene)?.name) || e.scene} ${e.step || ''}`;
  if (e.line) return `${t('health.line')} ${e.line} ${e.unit || ''}`;
  const d = room.value.devices.find(one => one.id === e.device), p = propertyOf(d, e.property);
  if (!d) return e.device || '';
  const value = p && e.value !== undefined ? spoken(d, p, {true: true, false: false}[e.value] ?? e.value, true) : e.value || '';
  return `${name(d.name)} ${value}`;
}

function Log() {
  const [entries, setEntries] = useState([]), [before, setBefore] = useState(0);
  useEffect(() => {
    call('GET', `/api/v1/journal?most=30${before ? `&before=${before}` : ''}`).then(a => a && !a.failed && setEntries(a.entries));
  }, [before]);
  return html`<ul class="list log" tabindex="0">
      ${entries.length === 0 && html`<li>${t('log.none')}</li>`}
      ${entries.map(e => html`<li class=${['failed', 'broken', 'set aside'].includes(e.outcome) ? 'bad' : ''} key=${e.seq}><time>${time(e.time)}</time><b>${whatOf(e)}</b><span>${either(`result.${e.outcome}`, `run.${e.outcome}`, `state.${e.outcome}`)}</span><small>${either(`by.${e.by.via}`)} ${room.value.areas.includes(e.by.name) ? '' : e.by.name || ''}</small></li>`)}
    </ul>
    <div class="choice">
      <button type="button" class="set" onClick=${() => setBefore(0)}><span class="label">${t('log.newest')}</span></button>
      <button type="button" class="set" onClick=${() => entries.length && setBefore(Math.min(...entries.map(e => e.seq)))}><span class="label">${t('log.more')}</span></button>
    </div>`;
}

function Settings() {
  const now = theme.value || room.value.theme.mode || 'sky';
  const pick = (label, options) => html`<section class="card"><h3>${label}</h3><div class="choice" role="group" aria-label=${label}>${options.map(o => html`<button type="button" class="set" aria-pressed=${String(o.on)} data-pick=${o.id} onClick=${o.act}>
    <${Icon} id=${o.icon} /><span class="label">${o.text}</span></button>`)}</div></section>`;
  return html`<div class="grid">
    ${pick(t('theme'), ['sky', 'night'].map(id => ({id, icon: id, text: t(`theme.${id}`), on: now === id, act: () => wear(id)})))}
    ${pick(t('language'), [['zh', '中文'], ['en', 'English']].map(([id, text]) => ({id, icon: 'language', text, on: lang.value === id, act: () => speak(id)})))}
    <p class="note">${t('build', build.value)}${simulated.value ? ` · ${t('simulated')}` : ''}</p>
  </div>`;
}
