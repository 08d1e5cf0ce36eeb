import { hasEscapes, styled } from './ansi.js';
import { beginning, bytes, duration, pictures, previewed } from './format.js';
import { eachFrame } from './frames.js';

const signs = { received: '↓', sent: '↑', stderr: '!', note: '·' };
const names = { received: 'received', sent: 'sent', stderr: 'standard error', note: 'note' };
const spare = 4; // rows beyond each edge, for scrolling between two frames

// A List shows the view of a log in a scrolling listbox. All rows have the
// same height, so that only those in sight need to exist; a row that scrolls
// out shows another entry. However much comes, they are written once a frame.
export class List {
  asHex = false;
  selected; // an entry
  #box;
  #log;
  #onSelect;
  #onOpen;
  #onDraw;
  #space = element('div', 'space'); // as high as all rows would be
  #window = element('div', 'window'); // the rows that exist
  #rows = [];
  #rowHeight;
  #height;
  #following = true; // stay at the newest entry
  #gone = 0;

  // onSelect gets an entry, or undefined; onOpen is for a click or the Enter key on
  // one, and gets whether it was the key; onDraw gets whether the newest entry is out
  // of sight.
  constructor(box, log, { onSelect, onOpen, onDraw }) {
    this.#box = box;
    this.#log = log;
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.#onDraw = onDraw;
    this.changed = eachFrame(() => this.#draw());
    this.#space.append(this.#window);
    box.append(this.#space);
    new ResizeObserver(() => this.#measure()).observe(box);
    box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    box.addEventListener('click', event => this.#clicked(event));
    box.addEventListener('keydown', event => this.#key(event));
    this.#measure();
  }

  // follow goes to the newest entry and stays there.
  follow() {
    this.#following = true;
    this.changed();
  }

  // redraw writes all rows anew, because entries look different now.
  redraw() {
    for (const row of this.#rows) row.entry = undefined;
    this.changed();
  }

  // select is for an entry that shall be looked at, and so has to stay in sight,
  // or for none.
  select(entry) {
    this.selected = entry;
    this.#onSelect(entry);
    if (entry) this.#following = false;
    else this.#scrolled();
    this.changed();
  }

  #measure() {
    const sample = this.#rows[0] ?? this.#addRow();
    sample.box.hidden = false;
    this.#rowHeight = sample.box.offsetHeight || 24;
    this.#height = this.#box.clientHeight;
    if (this.selected) this.#reveal(this.#indexOf(this.selected));
    this.changed();
  }

  #draw() {
    const view = this.#log.view, rowHeight = this.#rowHeight;
    const whole = view.length * rowHeight, end = Math.max(0, whole - this.#height);
    let top = end;
    if (!this.#following) top = Math.min(end, this.#box.scrollTop - (this.#log.gone - this.#gone) * rowHeight);
    top = Math.max(0, top);
    this.#gone = this.#log.gone;

    const first = Math.max(0, Math.floor(top / rowHeight) - spare);
    const last = Math.min(view.length, Math.ceil((top + this.#height) / rowHeight) + spare);
    while (this.#rows.length < last - first) this.#addRow();
    this.#rows.forEach((row, i) => row.show(first + i < last ? view.at(first + i) : undefined, first + i, view.length, this));
    this.#window.style.transform = `translateY(${first * rowHeight}px)`;
    this.#space.style.height = `${whole}px`;
    // Last, because it makes the browser lay out what was written above.
    if (this.#following || top !== this.#box.scrollTop) this.#box.scrollTop = top;
    this.#markActive();
    this.#onDraw(top < end - rowHeight / 2);
  }

  #addRow() {
    const row = new Row(`row-${this.#rows.length}`);
    this.#rows.push(row);
    this.#window.append(row.box);
    return row;
  }

  #markActive() {
    const row = this.selected && this.#rows.find(row => row.entry === this.selected);
    if (row) this.#box.setAttribute('aria-activedescendant', row.box.id);
    else this.#box.removeAttribute('aria-activedescendant');
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#box;
    this.#following = scrollTop + clientHeight >= scrollHeight - this.#rowHeight / 2;
    this.changed();
  }

  #clicked(event) {
    const row = this.#rows.find(row => row.box.contains(event.target));
    if (!row?.entry || !getSelection().isCollapsed) return;
    this.select(row.entry);
    this.#onOpen(false);
  }

  #key(event) {
    if (event.key === 'Enter' && this.selected) this.#onOpen(true);
    if (event.key === 'Escape' && this.selected) this.select(undefined);
    const view = this.#log.view, page = Math.max(1, Math.floor(this.#height / this.#rowHeight) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in steps) || view.length === 0) return;
    event.preventDefault();
    const at = this.#indexOf(this.selected);
    const to = at < 0 && event.key !== 'Home' ? view.length - 1 : at + steps[event.key];
    const index = Math.min(view.length - 1, Math.max(0, to));
    this.select(view.at(index));
    this.#reveal(index);
  }

  // The entries of a view are in the order of their numbers.
  #indexOf(entry) {
    if (!entry) return -1;
    const view = this.#log.view;
    let from = 0, to = view.length;
    while (from < to) {
      const middle = from + to >> 1;
      if (view.at(middle).number < entry.number) from = middle + 1;
      else to = middle;
    }
    return view.at(from) === entry ? from : -1;
  }

  #reveal(index) {
    if (index < 0) return;
    const top = index * this.#rowHeight, bottom = top + this.#rowHeight, box = this.#box;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + this.#height) box.scrollTop = bottom - this.#height;
  }
}

// A Row writes to the page only what is not there yet.
class Row {
  entry;
  box = element('div', 'row');
  #since = text(this.box, 'since');
  #size = text(this.box, 'size');
  #sign = text(this.box, 'sign');
  #kind = text(this.box, 'unseen');
  #data = text(this.box, 'data');
  #cell = this.#data.parentNode;

  constructor(id) {
    this.box.id = id;
    this.box.setAttribute('role', 'option');
  }

  show(entry, index, of, { asHex, selected }) {
    this.box.hidden = !entry;
    if (!entry) return;
    this.box.ariaPosInSet = index + 1;
    this.box.ariaSetSize = of;
    this.box.ariaSelected = entry === selected;
    if (entry === this.entry) return;
    this.entry = entry;
    this.box.className = `row ${entry.kind}`;
    this.#since.data = entry.since >= 0 ? `+${duration(entry.since)}` : '';
    this.#sign.data = signs[entry.kind];
    this.#kind.data = names[entry.kind];
    this.#size.data = entry.kind === 'note' ? '' : bytes(entry.size);
    this.#write(beginning(entry.data, asHex && entry.kind !== 'note'));
  }

  // Most messages have no colours, and cost no nodes.
  #write(shown) {
    if (hasEscapes(shown)) {
      this.#cell.replaceChildren(...styled(shown, pictures, previewed));
      return;
    }
    if (this.#cell.firstChild !== this.#data || this.#cell.childNodes.length > 1) this.#cell.replaceChildren(this.#data);
    this.#data.data = pictures(shown);
  }
}

function element(name, className) {
  const e = document.createElement(name);
  e.className = className;
  return e;
}

// text adds a span to box and returns the text node in it.
function text(box, className) {
  const span = element('span', className), node = new Text();
  span.append(node);
  box.append(span);
  return node;
}
