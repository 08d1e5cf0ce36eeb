// The console: a page to try a command by hand. It talks to the address that
// it was served from, so that its own URL, with ws for http, is that of the
// socket. No message and no address ever becomes markup.

import { Address } from './address.js';
import { ending } from './closes.js';
import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { copy, download, jsonLines, plain } from './export.js';
import { count, preview, shownOf, sizeOf } from './format.js';
import { eachFrame } from './frames.js';
import { Inspector } from './inspector.js';
import { List } from './list.js';
import { Log } from './log.js';
import { Meter } from './meter.js';
import { recall, remember } from './storage.js';
import { streamOf } from './streams.js';

// What the server says of itself.
const { framing, terminal, stderr, resume } = document.documentElement.dataset;

const $ = selector => document.querySelector(selector);

const log = new Log();
const meter = new Meter($);
const address = new Address($('#address'));
const connection = new Connection({ onState, onMessage, onEnd });
const inspector = new Inspector($('#inspector'), { onClose: closeInspector, onCopy: copyAnd });
const list = new List($('#list'), log, {
  onSelect: entry => inspector.show(entry),
  onOpen: byKey => inspector.open(byKey),
  onDraw: writeAround,
});
const composer = new Composer($, framing === 'bytes' || framing === 'channels', {
  send,
  note,
  ready,
  isOpen: () => connection.takes,
  unsent: () => connection.unsent,
});

// The connection.

let end = 'Not connected'; // how the last one ended, in words
let waiting = []; // who wants to know what comes of the attempt under way
let countdown;
let before; // the state before this one

function connect() {
  try {
    connection.connect(address.read());
  } catch (problem) {
    end = `Not connected: ${problem.message}`;
    connection.disconnect();
    onState('closed');
  }
}

// ready connects where there is no connection, and resolves to whether there
// is one then.
async function ready() {
  if (connection.takes) return true;
  const opened = new Promise(resolve => waiting.push(resolve));
  if (connection.state === 'closed' || connection.state === 'waiting') connect();
  return opened;
}

function onState(state) {
  if (state === 'connecting') meter.begin();
  if (state === 'open') note(before === 'away' ? `away ${awayFor()}` : `connected to ${address.value}`);
  before = state;
  if (state !== 'connecting') waiting.splice(0).forEach(resolve => resolve(state === 'open'));
  address.remember(state !== 'closed');

  clearInterval(countdown);
  if (state === 'waiting' || state === 'away') countdown = setInterval(writeCountdown, 250);
  writeCountdown();
  $('#state').dataset.state = state;
  $('#toggle').textContent = { connecting: 'Cancel', open: 'Disconnect', away: 'Disconnect', closing: 'Disconnect', waiting: 'Connect now' }[state] ?? 'Connect';
  $('#toggle').className = state === 'closed' || state === 'waiting' ? 'primary' : '';
  $('#address').readOnly = state !== 'closed' && state !== 'waiting';
  $('#sentence').textContent = { connecting: 'Connecting', open: 'Connected', away: 'Away', closing: 'Closing' }[state] ?? end;
  document.title = `${{ open: '●', connecting: '◌', away: '◌', closing: '◌' }[state] ?? '○'} ${address.path} · wsbridge`;
}

function onEnd(how) {
  end = ending(how);
  $('#state').dataset.end = how.ours || how.code === 1000 ? 'good' : 'bad';
  note(end);
}

// Apart from the sentence, which would be read out every second.
function writeCountdown() {
  const left = Math.ceil((connection.retryAt - performance.now()) / 1000);
  $('#next').textContent = { waiting: `next attempt in ${Math.max(1, left)} s`, away: awayFor() }[connection.state] ?? '';
}

const awayFor = () => `for ${Math.round((Date.now() - connection.awaySince) / 1000)} s, nothing lost`;

// Messages.

function onMessage(message) {
  const now = performance.now();
  let data = message, kind = 'received';
  if (typeof message !== 'string') data = new Uint8Array(message);
  else if (stderr === 'on') ({ kind, data } = streamOf(message));
  const size = sizeOf(data); // what the command has said, without what tells of the stream
  log.add(kind, data, size, now);
  if (meter.received(size, now)) say(`received: ${preview(data)}`);
  list.changed();
}

function send(data) {
  connection.send(data);
  const now = performance.now(), size = sizeOf(data);
  meter.sent(size, now);
  log.add('sent', data, size, now);
  list.follow();
}

function note(text) {
  log.add('note', text, sizeOf(text), performance.now());
  list.changed();
}

// say lets a screen reader speak, at most once a second: of the messages, only
// the answers to what was sent.
let spoken, speaking;

function say(text) {
  spoken = text;
  speaking ??= setTimeout(() => {
    $('#spoken').textContent = spoken;
    speaking = undefined;
  }, 1000);
}

// The log.

const filter = eachFrame(() => {
  const wanted = $('#filter').value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), kind = $('#kinds').value;
  const words = new RegExp(wanted, 'iu');
  const passes = entry => (!kind || entry.kind === kind) && (!wanted || words.test(shownOf(entry.data)));
  log.filter(wanted || kind ? passes : undefined);
  list.changed();
});

function writeAround(behind) {
  $('#latest').hidden = !behind;
  $('#empty').hidden = log.view.length > 0;
  $('#empty').dataset.because = $('#filter').value || $('#kinds').value ? 'filtered' : '';
  const label = !log.paused ? 'Pause' : log.waiting ? `Resume (${count(log.waiting)})` : 'Resume';
  if ($('#pause').textContent !== label) $('#pause').textContent = label;
  $('#pause').className = log.paused ? 'on' : '';
}

function clear() {
  log.clear();
  list.select(undefined);
  list.follow();
}

function closeInspector() {
  list.select(undefined);
  $('#list').focus({ preventScroll: true });
}

async function copyAnd(text, button) {
  const label = button.textContent;
  button.textContent = await copy(text) ? 'Copied' : 'Not allowed';
  button.disabled = true;
  setTimeout(() => {
    button.textContent = label;
    button.disabled = false;
  }, 1200);
}

function save() {
  const now = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  download(`wsbridge-${now}.jsonl`, 'application/jsonl', jsonLines(log.view));
}

// The controls.

$('#connect').onsubmit = event => {
  event.preventDefault();
  if (connection.state === 'closed' || connection.state === 'waiting') ready().then(open => open && composer.invite());
  else connection.disconnect();
};
$('#reconnect').onchange = event => {
  remember('reconnect', connection.retry = event.target.checked);
  if (!connection.retry && connection.state === 'waiting') connection.disconnect();
};
$('#resume').onchange = event => remember('resume', connection.resume = event.target.checked);
$('#theme').onchange = event => remember('theme', document.documentElement.dataset.theme = event.target.value);
$('#filter').oninput = $('#kinds').onchange = filter;
$('#hex').onclick = event => {
  list.asHex = !list.asHex;
  event.target.ariaPressed = list.asHex;
  list.redraw();
};
$('#pause').onclick = () => {
  if (log.paused) log.resume();
  else log.pause();
  list.changed();
};
$('#clear').onclick = clear;
$('#copy').onclick = event => copyAnd(plain(log.view), event.target);
$('#download').onclick = save;
$('#latest').onclick = () => list.follow();

$('#theme').value = document.documentElement.dataset.theme = recall('theme', '');
$('#reconnect').checked = connection.retry = recall('reconnect', false);
$('#framing').hidden = framing === 'lines';
$('#framing dd').textContent = framing;
$('#terminal').hidden = terminal !== 'on';
$('#resuming').hidden = resume !== 'on';
$('#resume').checked = connection.resume = resume === 'on' && recall('resume', true);
$('#kinds option[value=stderr]').hidden = stderr !== 'on';
onState('closed');
if (address.resumes && connection.retry) connect();
