import { ResumingSocket } from '../client/client.js';
import { refusalAt } from './refusal.js';

// A Connection is one WebSocket after the other to one address. Its state is
//
//   closed      and stays so until connect is called
//   connecting  or asking why that has failed
//   open
//   away        lost, but the program runs on; messages can be sent (only with resume)
//   closing     disconnect was called, the server has not answered yet
//   waiting     closed until the next attempt, at the time retryAt
//
// onState is called when it changes, onMessage with a string or an ArrayBuffer,
// onEnd when a connection or an attempt to make one has ended.
export class Connection {
  state = 'closed';
  retry = false; // whether to connect again when a connection ends
  retryAt = 0;
  resume = false; // whether the next connection is to outlive its loss
  awaySince = 0; // as of Date.now()
  #address;
  #socket;
  #failures = 0; // in a row
  #timer;
  #asking; // aborts the question why an attempt has failed

  constructor({ onState, onMessage, onEnd }) {
    this.onState = onState;
    this.onMessage = onMessage;
    this.onEnd = onEnd;
    addEventListener('pagehide', () => this.resume && this.#socket?.close(1000)); // nobody can come back
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
      this.#become('closing');
      this.#asking.abort();
      this.#socket.close(1000);
    }
  }

  // takes tells whether messages can be sent.
  get takes() { return this.state === 'open' || this.state === 'away'; }

  send(data) { this.#socket.send(data); }

  // unsent is how many bytes the browser still has to send.
  get unsent() { return this.#socket?.bufferedAmount ?? 0; }

  #open() {
    const socket = this.resume ? new ResumingSocket(this.#address) : new WebSocket(this.#address);
    socket.onstate = event => this.#follow(socket, event.detail);
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

  // follow takes what a ResumingSocket says of itself. A first attempt that fails ends
  // like that of a WebSocket.
  #follow(socket, { state, since, retryAt }) {
    if (state === 'connecting' && retryAt) socket.close();
    if (state === 'away') this.awaySince = since;
    if (this.takes && (state === 'away' || state === 'open') && state !== this.state) this.#become(state);
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
