// A WebSocket that comes back by itself and continues where it was, for wsbridge with --resume
// or --share: import { ResumingSocket } from './.wsbridge/client.js'.
//
// It dispatches open and close once. In between, state events have the detail { state, since,
// retryAt, resumed, away, readonly }: connecting, open, away or closed; times as of Date.now();
// whether the program is the same, how many ms it was away, and if --readonly drops what is sent.
//
// With --resume each message arrives exactly once, both ways. Own messages are kept until a new
// connection tells what the server has; one is made for that when they exceed a mebibyte. With
// --share, own messages may be lost with a connection.
// new ResumingSocket(url, [], { key: 'job' }) also continues after a reload of the page, behind the
// last message that its listeners have seen: what they made of those is for the page to keep.
// Own messages lie in sessionStorage. send throws if one does not fit, and has not sent it.

const keptBytes = 1 << 20, slowest = 30_000, patience = 30_000, lasting = 10_000, asleep = 100_000;
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).reduce((key, n) => key + n.toString(16).padStart(8, '0'), '');
const sizeOf = message => message.size ?? message.byteLength ?? new TextEncoder().encode(message).length;
const abandon = socket => Object.assign(socket, { onmessage: null, onclose: null }).close();

export class ResumingSocket extends EventTarget {
  static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
  CONNECTING = 0; OPEN = 1; CLOSING = 2; CLOSED = 3;
  onopen = null; onmessage = null; onerror = null; onclose = null; onstate = null;
  protocol = ''; readyState = 0; state = 'connecting'; since = Date.now();
  #link; // the connection in use, which the server has greeted
  #attempt; // the next one
  #closing; // what close was called with
  #protocols; #memory; #binaryType = 'blob'; #failures = 0; #seen = Date.now(); #retry; #watch; #keeps = keptBytes;
  #renew = () => { if (!this.#attempt && this.readyState < 2) this.#connect(); };

  constructor(url, protocols = [], { key } = {}) {
    super();
    for (const type of ['open', 'message', 'error', 'close', 'state']) {
      this.addEventListener(type, event => this[`on${type}`]?.(event));
    }
    this.url = new URL(url, location.href).href.replace(/^http/, 'ws');
    this.#protocols = ['wsbridge.v1'].concat(protocols);
    this.#memory = new Memory(key, this.url);
    this.#connect();
    globalThis.addEventListener('online', this.#renew);
    this.#watch = setInterval(() => { // a machine that has slept may hold a dead connection
      if (Date.now() - this.#seen > asleep) this.#renew();
      this.#seen = Date.now();
    }, lasting);
    queueMicrotask(() => this.#become(this.state));
  }

  get binaryType() { return this.#binaryType; }
  set binaryType(type) {
    this.#binaryType = type;
    for (const socket of [this.#link, this.#attempt].filter(Boolean)) socket.binaryType = type;
  }

  // What has not left the page; while it is away, all that may have to be sent again.
  get bufferedAmount() { return this.#link?.bufferedAmount ?? this.#memory.bytes; }

  // It may be called before the socket is open.
  send(data) {
    if (this.readyState >= 2) return;
    const message = this.#memory.add(data);
    if (this.#link?.readyState !== 1) return; // the next connection sends it
    this.#link.send(message);
    if (this.#memory.session.shared) this.#memory.drop();
    else if (this.#memory.weight - this.#link.bufferedAmount > this.#keeps) this.#renew();
  }

  // While the socket is away it ends with 1006, and the program when the time of --resume is over.
  close(...how) {
    if (this.readyState >= 2) return;
    if (!this.#link) return this.#finish(1006, '', false);
    if (!this.#attempt) this.#link.close(...how);
    this.#closing = how;
    this.readyState = 2;
  }

  #connect() {
    clearTimeout(this.#retry);
    const url = new URL(this.url), { key, received } = this.#memory.session;
    url.search += `${url.search ? '&' : '?'}resume=${key}&received=${received}`; // searchParams would rewrite the rest
    const socket = this.#attempt = new WebSocket(url.href, this.#protocols);
    socket.binaryType = this.#binaryType;
    setTimeout(() => { if (this.#attempt === socket) socket.onclose({ code: 1006 }); }, patience);
    let next; // the number of the next message
    socket.onmessage = event => {
      if (next !== undefined) return this.#receive(next++, event);
      const hello = JSON.parse(event.data);
      this.#greeted(socket, hello);
      next = hello.next;
    };
    socket.onclose = event => { abandon(socket); this.#ended(socket, event); };
  }

  #greeted(socket, { session, resumed, received, next, readonly = false }) {
    const known = this.#memory.session, away = this.state === 'away' ? Date.now() - this.since : 0;
    if (!known.greeted) known.shared = session !== known.key;
    if (received > known.dropped) this.#failures = 0;
    const forgotten = known.greeted && !resumed; // and so the server has begun another session
    if (!known.shared && (forgotten || !this.#memory.drop(received))) return this.#finish(4404, 'no such session', false);
    this.#memory.update({ key: session, greeted: true, received: resumed ? known.received : next - 1 });
    if (this.#link) abandon(this.#link);
    [this.#link, this.#attempt, this.protocol] = [socket, undefined, socket.protocol];
    for (const message of this.#memory.messages) socket.send(message);
    if (known.shared) this.#memory.drop();
    this.#keeps = Math.max(keptBytes, 2 * this.#memory.weight);
    if (this.#closing) return socket.close(...this.#closing);
    if (this.readyState === 0) {
      this.readyState = 1;
      this.dispatchEvent(new Event('open'));
    }
    if (this.state !== 'open') this.#become('open', { resumed, away, readonly });
  }

  #receive(number, { data, origin }) {
    if (number <= this.#memory.session.received) return; // it has come by the connection before
    this.#memory.session.received = number;
    this.#failures = 0;
    this.dispatchEvent(new MessageEvent('message', { data, origin }));
    if (this.readyState < 3) this.#memory.update();
  }

  #ended(socket, { code, reason, wasClean }) {
    const again = code === 1006 || code === 1001 && reason !== 'session timeout' && reason !== 'idle';
    if (socket !== this.#link) {
      this.#attempt = undefined;
      if (this.#link) return this.#closing && this.#link.close(...this.#closing); // it goes on
    } else {
      this.#link = undefined;
      if (this.#attempt && code === 4409) return; // it has taken over
      if (this.#attempt && again) return this.#closing || this.#become('away');
    }
    if (!again || this.#closing) return this.#finish(code, reason, wasClean);
    if (this.state === 'open' && Date.now() - this.since > lasting) this.#failures = 0;
    const wait = this.#failures && Math.min(slowest, 1000 * 2 ** (this.#failures - 1)) * (.75 + Math.random() / 2);
    this.#failures++;
    this.#retry = setTimeout(this.#renew, wait);
    this.#become(this.state === 'open' ? 'away' : this.state, { retryAt: Date.now() + wait });
  }

  #finish(code, reason, wasClean) {
    this.readyState = 3;
    [this.#link, this.#attempt].filter(Boolean).forEach(abandon);
    this.#link = this.#attempt = undefined;
    [this.#retry, this.#watch].forEach(clearTimeout);
    globalThis.removeEventListener('online', this.#renew);
    this.#memory.clear();
    this.#become('closed');
    if (!wasClean) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }

  #become(state, more) {
    if (state !== this.state) this.since = Date.now();
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, since: this.since, ...more } }));
  }
}

// A Memory has what a new connection needs; in sessionStorage, too, if there is a key for it.
class Memory {
  session = { key: randomKey(), greeted: false, shared: false, received: 0, dropped: 0 };
  messages = []; bytes = 0; // own ones that the server may not have; session.dropped came before
  #area; #prefix;

  constructor(key, url) {
    this.#prefix = `wsbridge ${key} ${url} `;
    try { this.#area = key === undefined ? undefined : sessionStorage; } catch { /* it is forbidden */ }
    const load = name => JSON.parse(this.#area?.getItem(this.#prefix + name) ?? null);
    this.update(load('session'));
    for (let kept; (kept = load(this.#last + 1)) !== null;) this.#keep(kept.bytes ? Uint8Array.from(kept.bytes) : kept);
  }

  get #last() { return this.session.dropped + this.messages.length; }
  get weight() { return this.bytes + 64 * this.messages.length; }
  update(changes) { this.#save('session', Object.assign(this.session, changes)); }
  #save(name, value) { this.#area?.setItem(this.#prefix + name, JSON.stringify(value)); }

  add(data) {
    if (data instanceof Blob && this.#area) throw new TypeError('no Blob with a key');
    let message = data instanceof Blob || data.byteLength !== undefined ? data : String(data);
    if (message.byteLength !== undefined) message = new Uint8Array(data.buffer ?? data, data.byteOffset, data.byteLength).slice();
    this.#area && this.#save(this.#last + 1, message.byteLength === undefined ? message : { bytes: [...message] });
    return this.#keep(message);
  }

  #keep(message) { this.bytes += sizeOf(message); this.messages.push(message); return message; }

  // drop forgets those up to a number, and tells whether that can be one of them.
  drop(number = this.#last) {
    if (number < this.session.dropped || number > this.#last) return false;
    for (const message of this.messages.splice(0, number - this.session.dropped)) {
      this.bytes -= sizeOf(message);
      const gone = ++this.session.dropped;
      this.#area?.removeItem(this.#prefix + gone);
    }
    return true;
  }

  clear() { this.drop(); this.#area?.removeItem(`${this.#prefix}session`); }
}
