// Numbers and messages as people read them.

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

const previewed = 500; // characters or bytes, more than fit on a screen

// preview is a message in one line, with pictures of the control characters.
export function preview(data, asHex) {
  const text = asHex ? undefined : textOf(data, previewed);
  if (text === undefined) return hexOf(bytesOf(data, previewed / 2));
  return text.replace(/[\0-\x1f\x7f]/g, c => c === '\x7f' ? '␡' : String.fromCharCode(0x2400 + c.charCodeAt(0)));
}
