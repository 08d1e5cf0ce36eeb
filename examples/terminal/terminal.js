// A terminal for wsbridge --pty --framing=channels. It continues after a reload and a
// lost network with --resume.
import { Terminal } from './node_modules/@xterm/xterm/lib/xterm.mjs';
import { FitAddon } from './node_modules/@xterm/addon-fit/lib/addon-fit.mjs';
import { SerializeAddon } from './node_modules/@xterm/addon-serialize/lib/addon-serialize.mjs';
import { Unicode11Addon } from './node_modules/@xterm/addon-unicode11/lib/addon-unicode11.mjs';

// The first byte of each message names the channel.
const stdin = 0, stdout = 1, status = 3, size = 4;
const keys = { Esc: '\x1b', Tab: '\t', Ctrl: '', '↑': 'A', '↓': 'B', '←': 'D', '→': 'C' };
const pieces = 64 << 10; // of what is pasted; a message may not be too large

const $ = selector => document.querySelector(selector);
const encoder = new TextEncoder(), decoder = new TextDecoder();

const term = new Terminal({ allowProposedApi: true, fontFamily: 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace', minimumContrastRatio: 4.5, scrollback: 10_000 });
const fit = new FitAddon(), screen = new SerializeAddon();
for (const addon of [fit, screen, new Unicode11Addon()]) term.loadAddon(addon);
term.unicode.activeVersion = '11';

// The way to the shell.

// Without --resume or --share there is no client.js, and a lost connection is the end.
const { ResumingSocket } = await import('./.wsbridge/client.js').catch(() => ({}));
const saved = sessionStorage.getItem('terminal');
let socket, end, readonly = false;

// start starts a shell, or continues the one that this page had before it was loaded again.
function start({ url, text } = {}) {
  url ??= `./?cols=${term.cols}&rows=${term.rows}`;
  const protocols = ['v5.channel.k8s.io'];
  socket = ResumingSocket ? new ResumingSocket(url, protocols, { key: 'terminal' }) : new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => receive(new Uint8Array(data));
  socket.onopen = () => draw('open');
  socket.onstate = ({ detail }) => draw(detail.state, detail);
  socket.onclose = finish;
  end = undefined;
  term.reset();
  if (text) term.write(text);
  onpagehide = () => ResumingSocket ? sessionStorage.setItem('terminal', JSON.stringify({ url, text: screen.serialize() })) : socket.close();
  sessionStorage.removeItem('terminal');
  draw('connecting');
  term.focus();
}

function receive(message) {
  const payload = message.subarray(1);
  if (message[0] === stdout) term.write(payload);
  if (message[0] === status) end = JSON.parse(decoder.decode(payload));
}

function send(channel, bytes) {
  if (socket.readyState !== 1) return;
  const message = new Uint8Array(1 + bytes.length);
  message[0] = channel;
  message.set(bytes, 1);
  socket.send(message);
}

function type(bytes) {
  for (let i = 0; i < bytes.length; i += pieces) send(stdin, bytes.subarray(i, i + pieces));
}

function resize() {
  send(size, encoder.encode(JSON.stringify({ Width: term.cols, Height: term.rows })));
}

function finish({ code, reason }) {
  onpagehide = null;
  const how = end ? end.message ?? 'exit status 0'
    : { 1006: 'the connection was lost', 4404: 'it is gone', 4409: 'another page has it' }[code] ?? (reason || 'no reason given');
  draw('closed', { how: `${how} (close code ${code})`, good: code === 1000 });
}

// What is around the terminal.

function draw(state, detail = {}) {
  if (state === 'open') {
    readonly = Boolean(detail.readonly ?? readonly);
    term.options.disableStdin = readonly;
    resize();
  }
  $('#state').dataset.kind = { open: 'good', away: 'bad', closed: detail.good ? '' : 'bad' }[state] ?? '';
  $('#state').textContent = {
    connecting: 'Connecting', open: readonly ? 'Connected, read only' : 'Connected', away: 'Away, the program runs on', closed: `Ended: ${detail.how}`,
  }[state];
  $('#again').hidden = state !== 'closed';
}

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.onchange = colour;
function colour() {
  const of = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
  term.options.theme = { background: of('card'), foreground: of('text'), cursor: of('on'), cursorAccent: of('card'), selectionBackground: dark.matches ? '#3d5a80' : '#b3d4fc' };
}

// A phone's keyboard has none of these. Ctrl is for the next key.
for (const [name, text] of Object.entries(keys)) {
  const button = Object.assign(document.createElement('button'), { textContent: name });
  button.onpointerdown = event => event.preventDefault(); // the keyboard stays
  button.onclick = () => {
    if (!text) return button.ariaPressed = button.ariaPressed !== 'true';
    term.input(/[A-D]/.test(text) ? `\x1b${term.modes.applicationCursorKeysMode ? 'O' : '['}${text}` : text);
  };
  if (!text) button.id = 'ctrl';
  $('#keys').append(button);
}

term.onData(text => {
  if ($('#ctrl').ariaPressed === 'true' && text.length === 1) text = String.fromCharCode(text.charCodeAt(0) & 31);
  $('#ctrl').ariaPressed = false;
  type(encoder.encode(text));
});
term.onBinary(text => type(Uint8Array.from(text, c => c.charCodeAt(0))));
$('#again').onclick = () => start();
$('#reader').checked = localStorage.getItem('reader') === 'on';
$('#reader').onchange = () => {
  term.options.screenReaderMode = $('#reader').checked;
  localStorage.setItem('reader', $('#reader').checked ? 'on' : 'off');
};
term.options.screenReaderMode = $('#reader').checked;

colour();
term.open($('#terminal'));
fit.fit();
new ResizeObserver(() => fit.fit()).observe($('#terminal'));
start(JSON.parse(saved) ?? {});
term.onResize(resize);
