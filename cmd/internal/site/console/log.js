import { Queue } from './queue.js';

// What the log keeps: the newest messages up to either of these limits.
const mostEntries = 50_000;
const mostBytes = 64 * 2 ** 20;

// A Log holds entries, the oldest first, and the view of them that is shown:
// those that the filter lets through, and while it is paused only those that
// were there when that began. An entry is
//
//   number  counted from 1
//   time    in ms, of performance.now()
//   since   ms since the entry before; NaN if there is none
//   kind    'received', 'sent', 'stderr' or 'note'
//   size    in bytes
//   data    a string or a Uint8Array
export class Log {
  #kept = new Queue();
  #bytes = 0;
  #added = 0;
  #last; // the time of the last entry
  #passes; // entry => boolean; undefined lets all through
  #frozen; // while paused: the entries of that moment
  #view = this.#kept; // #kept itself as long as everything is shown
  #waiting = 0;
  #gone = 0;

  get view() { return this.#view; }

  // waiting is how many entries have come since the pause began.
  get waiting() { return this.#waiting; }

  // gone is how many entries have left the front of the view to make room.
  get gone() { return this.#gone; }

  get paused() { return this.#frozen !== undefined; }

  add(kind, data, size, time) {
    const entry = { number: ++this.#added, time, since: time - this.#last, kind, size, data };
    this.#last = time;
    this.#kept.push(entry);
    this.#bytes += size;
    if (this.paused) this.#waiting++;
    else if (this.#view !== this.#kept && this.#passes(entry)) this.#view.push(entry);
    while (this.#kept.length > mostEntries || this.#bytes > mostBytes && this.#kept.length > 1) this.#drop();
  }

  #drop() {
    const oldest = this.#kept.shift();
    this.#bytes -= oldest.size;
    if (this.paused || this.#view !== this.#kept && this.#view.at(0) !== oldest) return;
    if (this.#view !== this.#kept) this.#view.shift();
    this.#gone++;
  }

  filter(passes) {
    this.#passes = passes;
    this.#look();
  }

  pause() {
    this.#frozen = those(this.#kept);
    this.#look();
  }

  resume() {
    this.#frozen = undefined;
    this.#waiting = 0;
    this.#look();
  }

  clear() {
    this.#kept = new Queue();
    this.#bytes = 0;
    this.#waiting = 0;
    if (this.paused) this.#frozen = new Queue();
    this.#look();
  }

  #look() {
    const all = this.#frozen ?? this.#kept;
    this.#view = this.#passes ? those(all, this.#passes) : all;
  }
}

function those(entries, passes = () => true) {
  const found = new Queue();
  for (const entry of entries) if (passes(entry)) found.push(entry);
  return found;
}
