import { refusalAt } from './refusal.js';

// A Connection is one WebSocket after the other to one address. Its state is
//
//   closed      and stays so until connect is called
//   connecting  or asking why that has failed
//   open
//   closing     disconnect was called, the server has not answered yet
//   waiting     closed until the next attempt, at the time retryAt
//
// onState is called when it changes, onMessage with a string or an ArrayBuffer,
// onEnd when a connection or an attempt to make one has ended.
export class Connection {
  state = 'closed';
  retry = false; // whether to connect again when a connection ends
  retryAt = 0;
  #address;
  #socket;
  #failures = 0; // in a row
  #timer;
  #asking; // aborts the question why an attempt has failed

  constructor({ onState, onMessage, onEnd }) {
    this.onState = onState;
    this.onMessage = onMessage;
    this.onEnd = onEnd;
  }

  // connect may throw, when the browser does not take the address.
  connect(address) {
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#address = address;
    this.#open();
  }

  disconnect() {
    if (this.state === 'waiting') {
      clearTimeout(this.#timer);
      this.#become('closed');
    } else if (this.#socket) {
      this.#socket.close(1000);
      this.#become('closing');
      this.#asking.abort();
    }
  }

  // send wants an open connection.
  send(data) { this.#socket.send(data); }

  // unsent is how many bytes the browser still has to send.
  get unsent() { return this.#socket?.bufferedAmount ?? 0; }

  #open() {
    const socket = new WebSocket(this.#address);
    socket.binaryType = 'arraybuffer';
    let openedAt;
    this.#asking = new AbortController();
    socket.onopen = () => {
      openedAt = performance.now();
      if (this.state === 'connecting') this.#become('open');
    };
    socket.onmessage = event => this.onMessage(event.data);
    socket.onclose = async ({ code, reason }) => {
      const opened = openedAt !== undefined;
      const refusal = opened ? undefined : await refusalAt(this.#address, this.#asking.signal);
      const ours = this.state === 'closing';
      this.#socket = undefined;
      this.onEnd({ code, reason, opened, ours, refusal });
      if (performance.now() - openedAt > 5000) this.#failures = 0;
      if (!ours && (this.retry || code === 1012)) this.#wait(code);
      else this.#become('closed');
    };
    this.#socket = socket;
    this.#become('connecting');
  }

  // Next to nothing when the server has ended the connection for a new command,
  // to which a page goes on without being asked to reconnect. Else half a second, then twice as long each time up to half a minute, and a
  // little by chance, so that not all pages come back at once when a server
  // does. A connection that has held for five seconds begins anew.
  #wait(code) {
    const delay = code === 1012 ? 100 : Math.min(30_000, 500 * 2 ** this.#failures++) * (1 + Math.random() / 4);
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#open(), delay);
    this.#become('waiting');
  }

  #become(state) {
    this.state = state;
    this.onState(state);
  }
}
