// The escape sequences of terminals (ECMA-48). Colours and the like are shown (SGR); all
// other sequences are left out.

import { colourOf, legible, mixed, surface } from './colours.js';

// A control sequence with its parameters, intermediates and final byte; a string, such
// as the title of a window; any other sequence. Each may be cut off.
const sequences = new RegExp([
  '(?:\\x1b\\[|\\x9b)([0-?]*)([ -/]*)([@-~]?)',
  '(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)?',
  '\\x1b[ -/]*[0-~]?',
  '[\\x80-\\x9f]',
].join('|'), 'g');

export const hasEscapes = text => /[\x1b\x80-\x9f]/.test(text);

// strip is text without its sequences.
export const strip = text => hasEscapes(text) ? text.replace(sequences, '') : text;

// styled is text as nodes and strings, with pictures of its control characters, up to
// a number of characters.
export function styled(text, pictures, most = Infinity) {
  const nodes = [];
  for (const { piece, style } of pieces(text)) {
    const shown = pictures(piece.slice(0, most));
    most -= shown.length;
    nodes.push(Object.keys(style).length ? span(shown, style) : shown);
    if (most <= 0) break;
  }
  return nodes;
}

function* pieces(text) {
  let style = {}, at = 0;
  for (const { 0: sequence, 1: parameters, 2: between, 3: final, index } of text.matchAll(sequences)) {
    if (index > at) yield { piece: text.slice(at, index), style };
    at = index + sequence.length;
    if (final === 'm' && !between && /^[\d;:]*$/.test(parameters)) style = styleAfter(style, parameters);
  }
  if (at < text.length) yield { piece: text.slice(at), style };
}

const switches = { 1: 'bold', 2: 'faint', 3: 'italic', 4: 'underline', 7: 'inverse', 9: 'strike', 21: 'underline' };
const ends = { 22: ['bold', 'faint'], 23: ['italic'], 24: ['underline'], 27: ['inverse'], 29: ['strike'], 39: ['text'], 49: ['ground'] };
const places = { 38: 'text', 48: 'ground' };

// styleAfter is the style that a sequence such as 1;38;5;208 makes of another one.
function styleAfter(style, parameters) {
  style = { ...style };
  const groups = parameters.split(';');
  while (groups.length) {
    const [code, ...more] = groups.shift().split(':').map(Number);
    const base = code % 10 + (code >= 90 ? 8 : 0);
    if (code === 0) style = {};
    else if (code === 4 && more[0] === 0) delete style.underline;
    else if (code in switches) style[switches[code]] = true;
    else if (code in ends) ends[code].forEach(name => delete style[name]);
    else if (code >= 30 && code <= 37 || code >= 90 && code <= 97) style.text = colourOf([5, base]);
    else if (code >= 40 && code <= 47 || code >= 100 && code <= 107) style.ground = colourOf([5, base]);
    else if (code === 38 || code === 48 || code === 58) { // 58 is the colour of an underline
      const colour = colourOf(more.length ? withoutSpace(more) : parametersOf(groups));
      if (colour && places[code]) style[places[code]] = colour;
    }
  }
  return style;
}

// With colons, an RGB colour may name its colour space first: 38:2:SPACE:R:G:B.
const withoutSpace = ([kind, ...rest]) => [kind, ...kind === 2 && rest.length > 3 ? rest.slice(1) : rest];

// With semicolons, a colour goes on in the groups that follow, which are used up.
function parametersOf(groups) {
  const count = { 5: 2, 2: 4 }[Number(groups[0])] ?? 1;
  return groups.splice(0, count).map(Number);
}

const classes = ['bold', 'italic', 'underline', 'strike'];
const looks = new Map(); // by style, because most repeat

function span(text, style) {
  const key = JSON.stringify(style);
  if (!looks.has(key)) {
    if (looks.size > 5000) looks.clear();
    looks.set(key, lookOf(style));
  }
  const { name, color, background } = looks.get(key), node = document.createElement('span');
  node.textContent = text;
  node.className = name;
  // The policy of the page forbids the attribute, not these.
  if (color) node.style.color = color;
  if (background) node.style.background = background;
  return node;
}

// lookOf finds the colours for a light and a dark page. The text stays legible on
// what is behind it, whatever the program has asked for.
function lookOf({ text, ground, inverse, faint, ...style }) {
  const pairs = surface.map(own => {
    let front = text ?? own.text, back = ground ?? own.ground;
    if (inverse) [front, back] = [back, front];
    if (faint) front = mixed(front, back, .35);
    return { front: legible(front, back), back };
  });
  return {
    name: ['ansi', ...classes.filter(name => style[name])].join(' '),
    color: text || ground || inverse || faint ? css(pairs.map(pair => pair.front)) : '',
    background: ground || inverse ? css(pairs.map(pair => pair.back)) : '',
  };
}

const css = pair => `light-dark(${pair.map(rgb => `rgb(${rgb.map(Math.round).join()})`).join()})`;
