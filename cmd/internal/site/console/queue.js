// A Queue grows at its end and shrinks at its front, both in constant time,
// and is read at any place.
export class Queue {
  #items = [];
  #front = 0;

  get length() { return this.#items.length - this.#front; }

  at(i) { return this.#items[this.#front + i]; }

  push(item) { this.#items.push(item); }

  shift() {
    const item = this.#items[this.#front];
    this.#items[this.#front++] = undefined; // to be collected
    if (this.#front > 1000 && this.#front > this.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }

  *[Symbol.iterator]() {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}
