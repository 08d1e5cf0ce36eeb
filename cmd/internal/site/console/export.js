import { hexOf } from './hex.js';
import { shownOf, textOf } from './format.js';

// plain is what Copy gives: a message a line, as it was shown.
export function plain(entries) {
  return Array.from(entries, ({ kind, time, data }) => `${timestamp(time)}\t${kind}\t${shownOf(data)}\n`).join('');
}

// jsonLines is what Download gives, for programs to read: with all escape sequences.
export function jsonLines(entries) {
  return Array.from(entries, ({ kind, time, data }) => {
    const text = textOf(data);
    return JSON.stringify({ time: timestamp(time), kind, ...text === undefined ? { hex: hexOf(data) } : { text } }) + '\n';
  });
}

const timestamp = time => new Date(performance.timeOrigin + time).toISOString();

export function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // when it has surely begun
}

// copy resolves to whether it worked. On a page that did not come by https or
// from this machine, browsers have only the old way.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea'), focused = document.activeElement;
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    focused?.focus();
    return done;
  }
}
