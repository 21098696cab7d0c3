// Makes what the panel takes from others: web/vendor/ui.js (Preact, signals, htm), web/icons.svg
// (Lucide) and web/fonts (Noto Sans SC). Run it after a change of package.json, of the words or of
// the icons in use:
//
//     npm install && npm run make
//
// The result is committed, so that building Lectern needs Go alone.
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import subsetFont from 'subset-font';

const here = dirname(fileURLToPath(import.meta.url)), web = join(here, '..', 'web'), top = join(here, '..', '..');
const modules = join(here, 'node_modules');
const files = (folder, ...ends) => readdirSync(folder, {recursive: true}).map(f => join(folder, f))
  .filter(f => !f.includes('node_modules') && ends.some(e => f.endsWith(e)) && statSync(f).isFile());

// Everything that is made, for the list of sums.
const made = {};
function write(name, content) {
  mkdirSync(dirname(join(web, name)), {recursive: true});
  writeFileSync(join(web, name), content);
  made[name] = createHash('sha256').update(content).digest('hex');
}

// The user interface library.
const bundle = await build({
  entryPoints: [join(here, 'ui.js')], bundle: true, minify: true, format: 'esm', target: 'es2020', write: false, legalComments: 'none',
  nodePaths: [modules], banner: {js: '/* Preact, Preact signals, htm; licences in NOTICE */'},
});
write('vendor/ui.js', bundle.outputFiles[0].contents);

// The icons: those that the panel names, in one sprite.
const names = JSON.parse(readFileSync(join(here, 'icons.json'), 'utf8'));
const symbols = Object.entries(names).map(([name, from]) => {
  const svg = readFileSync(join(modules, 'lucide-static', 'icons', `${from}.svg`), 'utf8');
  const inside = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>')).replace(/\s+/g, ' ').replace(/> </g, '><').trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${inside}</symbol>`;
});
write('icons.svg', `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);

// The fonts: in each weight the Latin letters, the Chinese characters that the panel itself and the
// example rooms use (the guide is for paper and the staff pages for tablets, which have their own), and the rest, which a browser fetches only for a name that needs it.
const texts = [...files(join(top, 'panel'), '.js', '.go').filter(f => !f.includes('panel/guide') && !f.includes('panel/staff')), ...files(join(top, 'devices'), '.go'), ...files(join(top, 'scenes'), '.go'), ...files(join(top, 'configs'), '.yaml')]
  .map(f => readFileSync(f, 'utf8')).join('');
const chinese = [...new Set(texts)].filter(c => /[\u2e80-\u9fff\uff00-\uffef]/u.test(c)).sort();
const range = chars => {
  const runs = [];
  for (const c of chars.map(c => c.codePointAt(0))) {
    if (runs.length && runs.at(-1)[1] === c - 1) runs.at(-1)[1] = c; else runs.push([c, c]);
  }
  return runs.map(([a, b]) => 'U+' + a.toString(16) + (a === b ? '' : '-' + b.toString(16))).join(',');
};
let css = '/* Noto Sans SC, SIL Open Font License 1.1; made by vendor/make.mjs. Later faces go first. */\n';
const latin = 'U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215';
for (const weight of [400, 600]) {
  const from = part => readFileSync(join(modules, '@fontsource/noto-sans-sc/files', `noto-sans-sc-${part}-${weight}-normal.woff2`));
  const core = await subsetFont(from('chinese-simplified'), chinese.join(''), {targetFormat: 'woff2'});
  for (const [part, bytes, covers] of [['rest', from('chinese-simplified')], ['core', core, range(chinese)], ['latin', from('latin'), latin]]) {
    write(`fonts/${part}-${weight}.woff2`, bytes);
    css += `@font-face{font-family:"Lectern Sans";font-weight:${weight};font-display:swap;src:url(fonts/${part}-${weight}.woff2) format("woff2")${covers ? `;unicode-range:${covers}` : ''}}\n`;
  }
}
write('fonts.css', css);

const version = name => `${name} ${JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version}`;
writeFileSync(join(here, 'SUMS'), `# ${['preact', '@preact/signals', 'htm', 'lucide-static', '@fontsource/noto-sans-sc', 'esbuild', 'subset-font'].map(version).join(', ')}\n` +
  Object.entries(made).sort().map(([name, sum]) => `${sum}  ${name}\n`).join(''));
