// The pages that a room has, from what the controller says of it: each with the devices and scenes
// that belong on it. What is not there has no page.
import {computed} from './vendor/ui.js';
import {name, room, t} from './store.js';

const here = d => d.area !== 'system' && d.area !== 'staff';

// volumeOf is what sets the volume of a player: itself, or the amplifier the room file names.
export const volumeOf = player => player.properties.some(p => p.name === 'volume') ? player : room.value.devices.find(d => d.id === player.volume);

// sourceVolume is the same for a source.
export function sourceVolume(source) {
  const by = id => room.value.devices.find(d => d.id === id);
  return source && (by(source.volume) || source.player && by(source.player) && volumeOf(by(source.player)));
}

export const pages = computed(() => {
  const r = room.value;
  if (!r) return [];
  const of = (...kinds) => r.devices.filter(d => here(d) && kinds.includes(d.kind));
  const wanted = r.pages || [];
  const projectors = of('projector'), choosers = of('sources'), apart = wanted.includes('sources');
  // A screen belongs to its projector, and where there is none to the curtains.
  const screens = of('screen'), used = new Set([...r.sources.map(s => sourceVolume(s)?.id), ...of('player', 'recorder').map(p => volumeOf(p)?.id)]);
  const all = [
    {id: 'lights', icon: 'lights', devices: of('light', 'dimmer', 'circuit')},
    {id: 'curtains', icon: 'curtains', devices: [...of('curtain'), ...(projectors.length ? [] : screens)]},
    {id: 'projector', icon: 'projector', devices: [...projectors, ...(projectors.length ? screens : []), ...of('matrix'), ...(apart ? [] : choosers)]},
    {id: 'sources', icon: 'source', devices: apart ? choosers : []},
    // Amplifiers that no source and no player leads to.
    {id: 'sound', icon: 'sound', devices: of('amplifier').filter(d => !used.has(d.id))},
    ...of('player', 'recorder', 'camera').map(d => ({id: d.id, icon: {player: 'player', recorder: 'recorder', camera: 'camera'}[d.kind], device: d, devices: [d]})),
  ].filter(p => p.devices.length);
  const claimed = new Set();
  for (const p of all) {
    const ids = p.devices.map(d => d.id);
    p.scenes = r.scenes.filter(s => s.area === 'main' && s.devices?.length && s.devices.every(d => ids.includes(d)) && !claimed.has(s.id));
    p.scenes.forEach(s => claimed.add(s.id));
  }
  const home = {
    id: 'home', icon: 'home', scenes: r.scenes.filter(s => s.area === 'main' && !claimed.has(s.id)),
    choosers, sensors: of('sensor'), devices: [], links: all,
  };
  const inner = {scenes: r.scenes.filter(s => s.area === 'system'), devices: r.devices.filter(d => d.area === 'system')};
  const system = {id: 'system', icon: 'system', ...inner};
  const list = [home, ...all, ...(r.areas.includes('system') ? [system] : [])];
  // What the room file lists comes in its order; home and system are there in any case.
  if (!wanted.length) return list;
  return [home, ...wanted.map(id => list.find(p => p.id === id)).filter(p => p && p.id !== 'home' && p.id !== 'system'), ...list.filter(p => p.id === 'system')];
});

export function title(p) {
  if (p.device) return p.device.kind === 'camera' ? name(p.device.name) : t('page.operate', name(p.device.name));
  return t(`page.${p.id}`);
}
