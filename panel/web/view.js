// Where the panel is: dark, the sky, a keypad, or a page of the room - and when it goes back there.
import {end, stay} from './ask.js';
import {now, open, room} from './store.js';
import {effect, signal} from './vendor/ui.js';

export const stage = signal('sky'); // dark, sky, open
export const asking = signal(''); // the area whose PIN is asked for
export const page = signal('home');
export const dialog = signal(null); // a question over everything: {title, text, answers: [{text, icon, act, main}]}

// wake is a touch on the dark panel: it shows the sky and does nothing else.
export function wake() { stage.value = 'sky'; }

// enter is a touch on the sky.
export function enter() {
  page.value = 'home';
  if (open('main')) stage.value = 'open';
  else asking.value = 'main';
}

// entered is what follows a right PIN.
export function entered(area) {
  asking.value = '';
  stage.value = 'open';
  if (area === 'system') page.value = 'system';
}

export function go(to) {
  if (to === 'system' && !open('system')) asking.value = 'system';
  else { asking.value = ''; page.value = to; }
}

export async function lock() {
  dialog.value = null;
  asking.value = '';
  page.value = 'home';
  stage.value = 'sky';
  await end();
}

// Whether anybody is at the panel is told by fingers and keys, not by what the equipment does.
let touched = Date.now(), told = 0;
const tellEvery = 20000;
export function attend() {
  for (const event of ['pointerdown', 'keydown']) {
    addEventListener(event, () => {
      touched = Date.now();
      if (stage.value === 'open' && touched - told > tellEvery && open('main')) { told = touched; stay(); }
    }, true);
  }
  effect(() => {
    void now.value;
    if (!room.value) return;
    const idle = (Date.now() - touched) / 1000, limits = room.value.idle;
    if (stage.value === 'open' && !open('main')) { stage.value = 'sky'; asking.value = ''; }
    if (page.value === 'system' && !open('system')) page.value = 'home';
    if (idle > limits.sleep && (stage.value === 'open' || asking.value)) { stage.value = 'sky'; asking.value = ''; page.value = 'home'; dialog.value = null; }
    if (idle > limits.dark && stage.value === 'sky') stage.value = 'dark';
  });
}
