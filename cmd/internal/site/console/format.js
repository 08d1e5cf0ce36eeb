// Numbers and messages as people read them.

import { hasEscapes, strip } from './ansi.js';
import { hexOf } from './hex.js';

const digits = new Intl.NumberFormat('en');

export const count = n => digits.format(n);

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  let unit = -1;
  for (; n >= 1023.5; unit++) n /= 1024;
  return `${n < 9.95 ? n.toFixed(1) : Math.round(n)} ${['KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

export function duration(ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours} h ${minutes % 60} m` : `${minutes} m ${seconds % 60} s`;
}

// byteLength is how many bytes text has in UTF-8. Every message is asked for
// it, so it must not make a copy.
export function byteLength(text) {
  let n = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    n += unit < 0x800 || unit >= 0xd800 && unit < 0xe000 ? 1 : 2; // a surrogate is half of four bytes
  }
  return n;
}

// sizeOf is how many bytes a message has.
export const sizeOf = data => typeof data === 'string' ? byteLength(data) : data.length;

// bytesOf is a message, or the beginning of a long one, as bytes.
export function bytesOf(data, limit = Infinity) {
  if (typeof data === 'string') data = new TextEncoder().encode(data.slice(0, limit));
  return data.subarray(0, limit);
}

// textOf is a message, or the beginning of a long one, as text; undefined if
// its bytes are not text.
export function textOf(data, limit = Infinity) {
  if (typeof data === 'string') return data.slice(0, limit);
  try {
    // As a stream it may end in the middle of a character.
    const cut = { stream: data.length > limit };
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data.subarray(0, limit), cut);
    return /[\0-\x06\x0e-\x1a\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

// shownOf is the whole of a message as it is read: text without escape sequences, or
// its bytes.
export function shownOf(data) {
  const text = textOf(data);
  return text === undefined ? hexOf(data) : strip(text);
}

export const previewed = 500; // characters or bytes, more than fit on a screen
const escaped = 20; // times as many, where most of them may be those of colours

// beginning is the text of a message for one line, with its escape sequences.
export function beginning(data, asHex) {
  const text = asHex ? undefined : textOf(data, previewed);
  if (text === undefined) return hexOf(bytesOf(data, previewed / 2));
  return hasEscapes(text) ? textOf(data, previewed * escaped) ?? text : text;
}

// preview is a message in one line, without escape sequences.
export const preview = data => pictures(strip(beginning(data))).slice(0, previewed);

// pictures is text with pictures of its control characters.
export const pictures = text => text.replace(/[\0-\x1f\x7f]/g, picture);

// picturesInLines leaves the control characters that make lines.
export const picturesInLines = text => text.replace(/(?!\r\n)[\0-\x08\x0b-\x1f\x7f]/g, picture);

const picture = c => c === '\x7f' ? '␡' : String.fromCharCode(0x2400 + c.charCodeAt(0));
