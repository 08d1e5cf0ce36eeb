import { parseHex } from './hex.js';

// What becomes of what a person writes, and of a file, on its way out. In
// binary mode the command gets bytes as they are, so that a line must bring
// its own end.

const encode = text => new TextEncoder().encode(text);

// messagesOf makes messages of what was written; how is 'lines', 'whole' or
// 'hex'. It throws when the text is not hex.
export function messagesOf(text, how, binary) {
  if (how === 'hex') return [parseHex(text)];
  if (how === 'whole') return [binary ? encode(text) : text];
  return text.split('\n').map(line => binary ? encode(line + '\n') : line);
}

const piece = 64 * 1024; // bytes that are read at once

// messagesIn makes messages of a file: with 'lines' one of each line, in
// binary mode one of each piece, else one of the whole.
export async function* messagesIn(file, how, binary) {
  if (how !== 'lines') {
    const data = new Uint8Array(await file.arrayBuffer());
    yield how === 'hex' || binary ? data : textOr(data);
    return;
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for (let at = 0; at < file.size; at += piece) {
    const data = new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
    if (binary) {
      yield data;
      continue;
    }
    const lines = (rest + decode(decoder, data, at + piece < file.size)).split(/\r?\n/);
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

function decode(decoder, data, stream) {
  try {
    return decoder.decode(data, { stream });
  } catch {
    throw new Error('the file is not text in UTF-8; send it as one message');
  }
}

function textOr(data) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return data;
  }
}
