// Bytes written in hexadecimal, and read back.

const pairs = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function hexOf(data) {
  let text = '';
  for (const byte of data) text += pairs[byte] + ' ';
  return text.trimEnd();
}

// dump is what hexdump -C shows: an offset, some bytes, and the same as text.
export function dump(data, perLine) {
  const lines = [];
  for (let at = 0; at < data.length; at += perLine) {
    const line = data.subarray(at, at + perLine);
    const text = String.fromCharCode(...line).replace(/[^ -~]/g, '.');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hexOf(line).padEnd(3 * perLine)} ${text}`);
  }
  return lines.join('\n');
}

// parseHex reads bytes as people write them: de ad, dead, 0xDE,0xAD, de:ad.
export function parseHex(text) {
  const data = [];
  for (const word of text.split(/[\s,;:-]+/)) {
    const nibbles = word.replace(/^(0x|\\x)/i, '');
    const wrong = nibbles.match(/[^0-9a-f]/iu);
    if (wrong) throw new Error(`“${wrong[0]}” is not a hexadecimal digit`);
    if (nibbles.length % 2) throw new Error(`“${word}” has an odd number of digits`);
    for (let i = 0; i < nibbles.length; i += 2) data.push(parseInt(nibbles.slice(i, i + 2), 16));
  }
  return Uint8Array.from(data);
}
