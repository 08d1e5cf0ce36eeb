// Colours of terminals, each a list of red, green and blue from 0 to 255.

// The first sixteen: eight, and the same brighter.
const basic = [
  [0, 0, 0], [205, 49, 49], [13, 188, 121], [190, 150, 10], [36, 114, 200], [188, 63, 188], [17, 168, 205], [229, 229, 229],
  [102, 102, 102], [241, 76, 76], [35, 209, 139], [230, 200, 40], [59, 142, 234], [214, 112, 214], [41, 184, 219], [255, 255, 255],
];

// What text is on where it has no colours of its own, for a light and a dark page. Of the
// grounds that a row may have, each is the one that makes text the hardest to read.
export const surface = [
  { text: [28, 29, 31], ground: [227, 237, 251] },
  { text: [232, 232, 229], ground: [33, 50, 74] },
];

// colourOf reads what follows 38 or 48: 5 and one of 256 colours, or 2 and the three
// parts of a colour. It is undefined for anything else.
export function colourOf([kind, ...parts]) {
  if (parts.some(part => !(part >= 0 && part <= 255))) return undefined;
  if (kind === 2 && parts.length >= 3) return parts.slice(0, 3);
  if (kind !== 5 || parts.length === 0) return undefined;
  const n = parts[0];
  if (n < 16) return basic[n];
  if (n >= 232) return Array(3).fill(8 + 10 * (n - 232));
  const level = step => step && 55 + 40 * step;
  return [Math.floor((n - 16) / 36), Math.floor((n - 16) / 6) % 6, (n - 16) % 6].map(level);
}

export const mixed = (a, b, part) => a.map((value, i) => value + (b[i] - value) * part);

// legible is a colour that has enough contrast with what is behind it (WCAG 2.2,
// section 1.4.3): itself, or something between it and black or white.
export function legible(colour, ground) {
  const end = contrast([0, 0, 0], ground) > contrast([255, 255, 255], ground) ? [0, 0, 0] : [255, 255, 255];
  for (let part = 0; part < 1; part += .05) {
    const tried = mixed(colour, end, part);
    if (contrast(tried, ground) >= 4.6) return tried;
  }
  return end;
}

function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + .05) / (low + .05);
}

function luminance(colour) {
  const [r, g, b] = colour.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}
