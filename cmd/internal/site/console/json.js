// JSON on several lines. The tokens stay as they are: what parse and stringify
// would make of 12345678901234567890, 1.0 or a name that is there twice is not
// what the command has said.

export function pretty(text) {
  if (!isJSON(text)) return undefined;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  let out = '', depth = 0;
  const newline = () => '\n' + '  '.repeat(depth);
  tokens.forEach((token, i) => {
    const before = tokens[i - 1];
    if (token === '}' || token === ']') {
      depth--;
      out += before === '{' || before === '[' ? token : newline() + token;
      return;
    }
    if (before === '{' || before === '[' || before === ',') out += newline();
    out += token === ':' ? ': ' : token;
    if (token === '{' || token === '[') depth++;
  });
  return out;
}

// isJSON is for objects and arrays: a number alone is no better on several lines.
function isJSON(text) {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
