// The tab of the wires: what goes over a line, in words, as it goes.
import {call} from './ask.js';
import {Icon} from './parts.js';
import {lines, t} from './store.js';
import {html, signal, useEffect, useRef, useState} from './vendor/ui.js';

const most = 100; // entries kept on the page
const breath = 1000; // ms after a question that failed
const at = signal(''); // the line that is looked at

const icons = {tx: 'up', rx: 'down', noise: 'unknown', event: 'log', error: 'fault'};
const clock = time => new Date(time).toLocaleTimeString('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3});
const wrong = e => e.dir === 'noise' || e.dir === 'error';

export function Wires() {
  const line = lines.value.includes(at.value) ? at.value : lines.value[0] || '';
  const [entries, setEntries] = useState([]), [held, setHeld] = useState(false), last = useRef({line: '', seq: 0});
  // The controller answers when there is something, so that a quiet line costs nothing.
  useEffect(() => {
    if (!line || held) return undefined;
    let over = false;
    if (last.current.line !== line) { last.current = {line, seq: 0}; setEntries([]); }
    const follow = async () => {
      while (!over) {
        const answer = await call('GET', `/api/v1/trace?wait=true&line=${line}&after=${last.current.seq}`);
        if (over) return;
        if (!answer || answer.failed) { await new Promise(r => setTimeout(r, breath)); continue; }
        last.current.seq = answer.last[line] || last.current.seq;
        if (answer.entries.length) setEntries(before => [...answer.entries.reverse(), ...before].slice(0, most));
      }
    };
    follow();
    return () => { over = true; };
  }, [line, held]);
  return html`<div class="choice wires" role="group" aria-label=${t('health.line')}>
      ${lines.value.map(id => html`<button type="button" class="set" key=${id} data-line=${id} aria-pressed=${String(id === line)} onClick=${() => { at.value = id; setHeld(false); }}><span class="label">${id}</span></button>`)}
      <button type="button" class="set" data-held=${String(held)} aria-pressed=${String(held)} onClick=${() => setHeld(!held)}><${Icon} id="pause" /><span class="label">${t('transport.pause')}</span></button>
    </div>
    <ul class="list log" tabindex="0" aria-label=${t('tab.wires')}>
      ${entries.length === 0 && html`<li>${t('log.none')}</li>`}
      ${entries.map(e => html`<li class=${wrong(e) ? 'bad' : ''} key=${e.seq}><time>${clock(e.time)}</time><span class="way"><${Icon} id=${icons[e.dir]} />${t(`wire.${e.dir}`)}</span>
        <span>${e.unit || ''}</span><b>${e.note || ''}</b>${e.hex && html`<small>${e.hex}</small>`}</li>`)}
    </ul>`;
}
