// The looks: sky or night, in the room's own colour.

// luminance and contrast are those of WCAG 2.2.
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16) / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };

const toward = (hex, other, part) => '#' + [1, 3, 5].map(i => Math.round(parseInt(hex.slice(i, i + 2), 16) * (1 - part) + parseInt(other.slice(i, i + 2), 16) * part).toString(16).padStart(2, '0')).join('');

const legible = 4.5;

// dress puts the look on. A colour that could not be read on the look's background is taken darker or
// lighter until it can.
export function dress(mode = 'sky', accent = '') {
  const root = document.documentElement, night = mode === 'night';
  root.dataset.theme = night ? 'night' : 'sky';
  root.style.removeProperty('--accent');
  root.style.removeProperty('--accent-ink');
  if (!/^#[0-9a-f]{6}$/i.test(accent)) return;
  const surface = night ? '#15242f' : '#ffffff';
  let colour = accent;
  for (let part = 0; contrast(colour, surface) < legible && part <= 1; part += 0.05) colour = toward(accent, night ? '#ffffff' : '#000000', part);
  root.style.setProperty('--accent', colour);
  root.style.setProperty('--accent-ink', contrast(colour, '#ffffff') >= contrast(colour, '#03182b') ? '#ffffff' : '#03182b');
}
