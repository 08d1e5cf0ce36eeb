import { recall, remember } from './storage.js';

// An Address is the field with the URL of the WebSocket: at first that of the
// page itself. One that was typed outlives a reload of the page in this tab.
export class Address {
  #field;
  #page = location.href.replace(/#.*/, '');

  constructor(field) {
    this.#field = field;
    const kept = recall('tab', {}, 'sessionStorage');
    const same = kept.page === this.#page;
    field.value = same ? kept.address : this.#own().href;
    // To connect without being asked takes a reload: a link from somewhere
    // else must not start a command with a query of its choice.
    this.resumes = same && kept.connected && performance.getEntriesByType('navigation')[0]?.type === 'reload';
  }

  get value() { return this.#field.value; }

  get path() { return this.value.replace(/^wss?:\/\/[^/]*/, ''); }

  // read returns the URL, completed from what may be as short as "/path?a=1".
  read() {
    const own = this.#own();
    if (!URL.canParse(this.value.trim(), own)) throw new Error('this address is not a URL');
    const url = new URL(this.value.trim(), own);
    if (url.host !== own.host) throw new Error(`this page may connect only to the server that it came from, ${own.host}`);
    url.protocol = own.protocol;
    url.hash = '';
    return this.#field.value = url.href;
  }

  remember(connected) {
    remember('tab', { page: this.#page, address: this.value, connected }, 'sessionStorage');
  }

  #own() {
    const url = new URL(this.#page);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url;
  }
}
