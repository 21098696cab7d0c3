// The touch panel: blue sky, PIN, pages made of what the room has, in both languages. It knows
// nothing of any one room; GET /api/v1/room tells.
'use strict';

const words = {
  zh: {lang: 'English', touch: '轻触屏幕开始', welcome: '欢迎使用', home: '主页', lights: '灯光操作', curtains: '窗帘操作', projector: '投影机', room: '会议室', end: '锁定', pin: '请输入密码', enter: '确认', del: '删除', wrong: n => `密码错误,还可试${n}次`, wait: n => `请等待${n}秒`,
    lost: '控制器离线,正在重连', system: '系统', scenes: '场景', devices: '设备', sources: '投影机信号选择', hold: s => `按住${s}秒`, confirm: '不能按住?点此确认',
    sure: '确定执行吗?', help: '帮助', reported: '', assumed: '估算', stale: '未更新', unknown: '未知', offline: '离线', unfed: '无供电',
    on: '开', off: '关', up: '上', stop: '停', 'transport stop': '停止', down: '下', play: '播放', pause: '暂停', forward: '前进', back: '后退', next: '下一段', previous: '上一段',
    record: '录像', eject: '出仓', warming: '正在预热', cooling: '冷却中', power: '电源', motion: '动作', position: '位置', level: '亮度', transport: '播放控制',
    volume: '音量', mute: '静音', input: '信号', remaining: '剩余', lamp: '灯泡时间', fault: '故障', selected: '正在显示', none: '无', temperature: '温度',
    humidity: '湿度', presence: '有人', running: '进行中', finished: '完成', waiting: '等待', failed: '失败', skipped: '已跳过', cancelled: '已取消',
    undone: '已撤销', unwinding: '正在撤销', asking: '请选择', retry: '重试', skip: '跳过', unwind: '撤销', cancel: '取消', open: '仓门打开', 'no-media': '无碟片',
    standby: '待机', other: '其他', accepted: '已接受', sent: '已发送,未确认', left: n => `约${n}秒`},
  en: {lang: '中文', touch: 'Touch to start', welcome: 'Welcome to', home: 'Home', lights: 'Lights', curtains: 'Curtains', projector: 'Projector', room: 'Room', end: 'Lock', pin: 'Enter PIN', enter: 'ENTER', del: 'Delete', wrong: n => `Wrong PIN, ${n} tries left`, wait: n => `Wait ${n} s`,
    lost: 'Controller offline, reconnecting', system: 'System', scenes: 'Scenes', devices: 'Equipment', sources: 'Projector source', hold: s => `Hold ${s} s`,
    confirm: 'Cannot hold? Confirm here', sure: 'Really do it?', help: 'Help', reported: '', assumed: 'estimated', stale: 'not up to date', unknown: 'unknown',
    offline: 'offline', unfed: 'no mains', on: 'On', off: 'Off', up: 'Up', stop: 'Stop', down: 'Down', play: 'Play', pause: 'Pause', forward: 'Forward',
    back: 'Back', next: 'Next', previous: 'Previous', record: 'Record', eject: 'Eject', warming: 'Warming up', cooling: 'Cooling', power: 'Power',
    motion: 'Motion', position: 'Position', level: 'Level', transport: 'Transport', volume: 'Volume', mute: 'Mute', input: 'Input', remaining: 'Time left',
    lamp: 'Lamp', fault: 'Fault', selected: 'Showing', none: 'None', temperature: 'Temperature', humidity: 'Humidity', presence: 'Presence',
    running: 'running', finished: 'done', waiting: 'waiting', failed: 'failed', skipped: 'skipped', cancelled: 'cancelled', undone: 'undone',
    unwinding: 'undoing', asking: 'please choose', retry: 'Retry', skip: 'Skip', unwind: 'Undo', cancel: 'Cancel', open: 'Tray open', 'no-media': 'No disc',
    standby: 'Standby', other: 'Other', accepted: 'Accepted', sent: 'Sent, not confirmed', left: n => `about ${n} s`},
};

let room, areas = {}, lang, heard = Date.now(), epoch = '', build = '', revision = 0, asking = '';
const state = {properties: {}, devices: {}, runs: {}};
const $ = id => document.getElementById(id);
const w = key => words[lang][key] ?? key;
const name = n => (n && (n[lang] || n.zh || n.en)) || '';

// el makes an element: attributes that are functions become listeners.
function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (typeof v === 'function') e.addEventListener(k, v);
    else if (v !== false && v !== undefined) e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}

async function call(method, path, body) {
  const options = {method, headers: {}};
  if (body !== undefined) { options.body = JSON.stringify(body); options.headers['Content-Type'] = 'application/json'; }
  let answer;
  try { answer = await fetch(path, options); } catch { say(w('lost')); return null; }
  const text = await answer.text();
  const json = text ? JSON.parse(text) : {};
  if (!answer.ok) {
    if (answer.status === 401 && !path.endsWith('/session')) { areas = {}; show(); }
    json.failed = true;
    if (!path.endsWith('/session')) say((lang === 'zh' && json.zh) || json.detail || json.title);
  } else if (json.outcome === 'accepted' || json.outcome === 'sent') say(w(json.outcome));
  return json;
}

let toasting;
function say(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => { $('toast').hidden = true; }, 4000);
}

// The PIN of an area.
function keypad(area) {
  let pin = '';
  const dots = el('p', {class: 'dots', 'aria-live': 'off'}), told = el('p', {class: 'center', role: 'alert'});
  const type = d => { if (pin.length < 12) { pin += d; dots.textContent = '●'.repeat(pin.length); } };
  const enter = async () => {
    const answer = await call('POST', '/api/v1/session', {pin, area});
    pin = ''; dots.textContent = '';
    if (!answer) return;
    if (answer.failed) {
      told.textContent = answer.retry_after ? w('wait')(answer.retry_after) : w('wrong')(answer.tries_left ?? '');
      return;
    }
    areas = answer.areas; asking = '';
    show();
  };
  const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].map(d => el('button', {type: 'button', click: () => type(d)}, d));
  keys.push(el('button', {type: 'button', click: () => { pin = pin.slice(0, -1); dots.textContent = '●'.repeat(pin.length); }}, w('del')),
    el('button', {type: 'button', click: () => type('0')}, '0'), el('button', {type: 'button', click: enter}, w('enter')));
  return el('section', {}, el('h2', {class: 'center'}, `${area === 'main' ? '' : w(area) + ' '}${w('pin')}`), dots, told, el('div', {class: 'keypad'}, ...keys));
}

const key = (device, property) => device + '.' + property;
const set = (device, property, value) => call('POST', `/api/v1/devices/${device}/${property}`, {value});

// One property: buttons for words, a slider for numbers, text for the rest.
function control(device, p) {
  const s = state.properties[key(device.id, p.name)] || {value: null, quality: 'unknown'};
  const label = option => (option.label && name(option.label)) || words[lang][`${p.name} ${option.value}`] || w(option.value);
  const shown = s.value === null ? '?' : p.type === 'bool' ? w(s.value ? 'on' : 'off') : p.type === 'enum' ?
    label(p.options.find(o => o.value === s.value) || {value: s.value}) : `${s.value}${p.unit ? ' ' + p.unit : ''}`;
  const row = el('div', {class: p.name === 'level' ? 'row segments' : 'row'}, el('label', {}, `${w(p.name)}: ${shown} `, el('span', {class: 'quality'}, s.quality === 'reported' ? '' : `(${w(s.quality)})`)));
  if (p.settable) {
    const pressed = v => s.value === v && s.quality !== 'unknown' ? 'true' : 'false';
    const pending = v => s.target === v ? 'pending' : '';
    if (p.type === 'bool') {
      for (const v of [true, false]) row.append(el('button', {type: 'button', 'aria-pressed': pressed(v), class: pending(v), click: () => set(device.id, p.name, v)}, w(v ? 'on' : 'off')));
    } else if (p.type === 'enum') {
      for (const o of p.options.filter(o => !o.state)) {
        row.append(el('button', {type: 'button', 'aria-pressed': o.act ? undefined : pressed(o.value), class: pending(o.value), click: () => set(device.id, p.name, o.value)}, label(o)));
      }
    } else if (p.type === 'integer') {
      row.append(el('input', {type: 'range', min: p.min || 0, max: p.max, step: p.step || 1, 'aria-label': w(p.name),
        change: e => set(device.id, p.name, Number(e.target.value))}));
      row.lastChild.value = s.target ?? s.value ?? 0;
    }
    // A lock on what is so already stops nobody.
    for (const l of (s.locks || []).filter(l => !l.values || l.values.some(v => v !== s.value))) row.append(el('span', {class: 'lock'}, `${name(l.reason)}${l.until ? ' ' + w('left')(Math.max(0, Math.round((new Date(l.until) - Date.now()) / 1000))) : ''}`));
  }
  return row;
}

const pictures = {};
// picture is made once: a new element would open the stream anew with every change of the page.
function picture(device) {
  return pictures[device.id] ??= el('img', {src: device.preview, alt: device.id, error: e => setTimeout(() => { e.target.src = `${device.preview}?${Date.now()}`; }, 5000)});
}

function tile(device) {
  const d = state.devices[device.id] || {};
  const trouble = d.fed === false ? w('unfed') : d.online === false ? w('offline') : '';
  const t = el('article', {class: 'tile'}, el('h3', {}, name(device.name) || device.id, el('span', {class: 'quality'}, trouble)));
  // A fault is told where there is one.
  const told = device.properties.filter(p => p.name !== 'fault' || state.properties[key(device.id, p.name)]?.value);
  for (const p of told) t.append(control(device, p));
  if (told.length === 1 && told[0].settable) t.classList.add('single');
  if (device.preview) t.append(picture(device));
  return t;
}

// A scene: a button, or one that must be held, with its steps while it runs.
function scene(s) {
  const run = state.runs[s.id], live = run && ['running', 'asking', 'unwinding'].includes(run.state);
  const start = body => call('POST', `/api/v1/scenes/${s.id}`, body);
  const t = el('article', {class: 'tile'});
  if (s.hold) {
    const bar = el('progress', {max: s.hold, value: 0});
    let held = null, tick = null;
    const release = async () => {
      clearInterval(tick); bar.value = 0;
      const mine = await held; held = null;
      if (mine && mine.hold && Date.now() - mine.began >= s.hold * 1000) start({hold: mine.hold});
    };
    const button = el('button', {type: 'button', class: 'hold' + (live ? ' blink' : ''), 'data-scene': s.id,
      pointerdown: e => {
        if (held) return;
        e.target.setPointerCapture?.(e.pointerId);
        const began = Date.now();
        held = call('POST', `/api/v1/scenes/${s.id}/hold`).then(a => a && {...a, began: Date.now()});
        tick = setInterval(() => { bar.value = (Date.now() - began) / 1000; }, 50);
      }, pointerup: release, pointercancel: () => { clearInterval(tick); bar.value = 0; held = null; }},
      name(s.name), ' · ', w('hold')(s.hold), bar);
    t.append(button, el('button', {type: 'button', click: () => { if (confirm(w('sure'))) start({confirm: true}); }}, w('confirm')));
  } else {
    t.append(el('button', {type: 'button', class: live ? 'blink' : '', click: () => start()}, name(s.name)));
  }
  if (run) {
    t.append(el('p', {}, `${w(run.state)} ${run.left ? w('left')(run.left) : ''} ${name(run.reason)}`));
    if (live || run.state !== 'finished') t.append(el('ol', {}, ...run.steps.map(step => el('li', {}, `${name(step.name)}: ${w(step.state)} ${name(step.reason)}`))));
    if (run.state === 'asking') for (const d of ['retry', 'skip', 'unwind', 'stop']) t.append(el('button', {type: 'button', click: () => call('POST', `/api/v1/scenes/${s.id}/decision`, {do: d})}, w(d)));
    else if (live) t.append(el('button', {type: 'button', click: () => call('DELETE', `/api/v1/scenes/${s.id}`)}, w('cancel')));
  }
  return t;
}

// The pages, from what the room has: each with the devices and scenes that belong on it. What is not
// there has no page.
function pages() {
  const of = (...kinds) => room.devices.filter(d => d.area !== 'system' && kinds.includes(d.kind));
  const all = [
    {id: 'lights', icon: '✦', devices: of('light', 'dimmer', 'circuit')},
    {id: 'curtains', icon: '▤', devices: of('curtain', 'screen')},
    {id: 'projector', icon: '▣', devices: of('projector', 'sources', 'matrix', 'screen')},
    ...of('player', 'recorder').map(d => ({id: d.id, icon: d.kind === 'player' ? '◉' : '▶', name: d.name, devices: [d, ...room.devices.filter(a => a.id === d.volume)]})),
  ].filter(p => p.devices.length);
  const claimed = new Set();
  for (const p of all) {
    const ids = p.devices.map(d => d.id);
    p.scenes = room.scenes.filter(s => s.area !== 'system' && s.devices?.length && s.devices.every(d => ids.includes(d)) && !claimed.has(s.id));
    p.scenes.forEach(s => claimed.add(s.id));
  }
  const placed = new Set(all.flatMap(p => p.devices.map(d => d.id)));
  const home = {
    id: 'home', icon: '⌂', scenes: room.scenes.filter(s => s.area !== 'system' && !claimed.has(s.id)),
    devices: room.devices.filter(d => d.area !== 'system' && (d.kind === 'sources' || d.kind === 'sensor' || !placed.has(d.id)))
      .sort((a, b) => (b.kind === 'sources') - (a.kind === 'sources')),
  };
  const system = {
    id: 'system', icon: '⚙', scenes: room.scenes.filter(s => s.area === 'system'), devices: room.devices.filter(d => d.area === 'system'),
  };
  return [home, ...all, ...(system.scenes.length || system.devices.length ? [system] : [])];
}

let wanted = false, touching = false, asleep = true, page = 'home', touched = Date.now();
// paint draws in the next frame, and not under a finger.
function paint() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => { wanted = false; if (touching || asking || asleep || !room || !areas.main) return; show(); });
}

// sky is what a panel shows that nobody uses. A touch only wakes it.
function sky() {
  const clock = new Date().toLocaleTimeString(lang === 'zh' ? 'zh-CN' : 'en-GB', {hour: '2-digit', minute: '2-digit'});
  return el('button', {type: 'button', class: 'sky', click: () => { asleep = false; show(); }},
    el('span', {class: 'welcome'}, w('welcome')), el('strong', {}, name(room.name)), el('span', {}, words.zh.touch), el('span', {}, words.en.touch), el('span', {}, clock));
}

function show() {
  if (!room) return;
  document.documentElement.lang = lang;
  document.title = $('name').textContent = name(room.name);
  $('lang').textContent = w('lang');
  $('end').textContent = w('end');
  $('help').textContent = room.help ? `${w('help')} ${room.help}` : '';
  $('end').hidden = !areas.main || asleep;
  document.body.classList.toggle('asleep', asleep);
  if (asleep) { $('main').replaceChildren(sky()); return; }
  if (!areas.main) { $('main').replaceChildren(keypad('main')); return; }
  if (asking) { $('main').replaceChildren(keypad(asking)); return; }
  const all = pages(), now = all.find(p => p.id === page) || all[0];
  const go = p => () => { page = p.id; if (p.id === 'system' && !areas.system) asking = 'system'; show(); };
  const nav = el('nav', {}, ...all.map(p => el('button', {type: 'button', 'data-page': p.id, 'aria-current': p === now ? 'page' : undefined, click: go(p)},
    el('span', {class: 'icon', 'aria-hidden': 'true'}, p.icon), p.name ? name(p.name) : w(p.id))));
  if (now.id === 'system' && !areas.system) { page = 'home'; show(); return; }
  $('main').replaceChildren(nav, el('div', {class: 'page'}, now.scenes.length ? el('div', {class: 'scenes'}, ...now.scenes.map(scene)) : null, ...now.devices.map(tile)));
}

function take(u) {
  revision = u.revision;
  for (const p of u.properties || []) state.properties[key(p.device, p.property)] = p;
  for (const d of u.devices || []) state.devices[d.device] = d;
  for (const r of u.runs || []) state.runs[r.scene] = r;
  paint();
}

function follow() {
  const source = new EventSource(`/api/v1/events?epoch=${epoch}&since=${revision}`);
  const on = (type, f) => source.addEventListener(type, e => { heard = Date.now(); $('cover').hidden = true; f(JSON.parse(e.data)); });
  on('hello', h => {
    if (build && build !== h.build) location.reload();
    build = h.build;
    if (epoch && epoch !== h.epoch) { revision = 0; call('GET', '/api/v1/session').then(s => { if (s) { areas = s.areas; show(); } }); }
    epoch = h.epoch;
  });
  on('snapshot', u => { state.properties = {}; state.devices = {}; state.runs = {}; take(u); });
  on('changes', take);
  on('beat', () => {});
  source.onerror = () => { source.close(); setTimeout(follow, 1000); };
}

async function begin() {
  lang = localStorage.getItem('lang') || 'zh';
  for (;;) {
    try {
      room = await (await fetch('/api/v1/room')).json();
      areas = (await (await fetch('/api/v1/session')).json()).areas;
      break;
    } catch { await new Promise(r => setTimeout(r, 1000)); }
  }
  lang = localStorage.getItem('lang') || room.language;
  $('lang').onclick = () => { lang = lang === 'zh' ? 'en' : 'zh'; localStorage.setItem('lang', lang); show(); };
  $('end').onclick = async () => { await call('DELETE', '/api/v1/session'); areas = {}; asleep = true; page = 'home'; show(); };
  addEventListener('pointerdown', () => { touching = true; touched = Date.now(); }, true);
  for (const e of ['pointerup', 'pointercancel']) addEventListener(e, () => { setTimeout(() => { touching = false; paint(); }, 50); }, true);
  // Nobody at the panel: back to the sky. The area stays open until its own limit.
  setInterval(() => {
    if (!asleep && Date.now() - touched > room.idle.sleep * 1000) { asleep = true; asking = ''; page = 'home'; show(); }
    else if (asleep) show();
  }, 5000);
  setInterval(() => { if (Date.now() - heard > 12000) { $('cover').textContent = w('lost'); $('cover').hidden = false; } }, 1000);
  show();
  follow();
}
begin();
