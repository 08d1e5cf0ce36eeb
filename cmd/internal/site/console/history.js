import { recall, remember } from './storage.js';

const mostLines = 200;
const longest = 10_000; // characters of a line that is worth keeping

// A History is walked back and forth, as in a shell. What was being written
// when the walk began waits at its end.
export class History {
  #lines = recall('history', []).filter(line => typeof line === 'string');
  #at = this.#lines.length;
  #draft = '';

  add(line) {
    if (line && line.length <= longest && line !== this.#lines.at(-1)) {
      // Another page may have added some meanwhile.
      this.#lines = [...recall('history', this.#lines), line].slice(-mostLines);
      remember('history', this.#lines);
    }
    this.#at = this.#lines.length;
    this.#draft = '';
  }

  // back and forth take what is written now and return what to show in its
  // place, or undefined at the end of the way.
  back(current) {
    if (this.#at === 0) return undefined;
    if (this.#at === this.#lines.length) this.#draft = current;
    return this.#lines[--this.#at];
  }

  forth() {
    if (this.#at === this.#lines.length) return undefined;
    return this.#lines[++this.#at] ?? this.#draft;
  }
}
