import { bytes, bytesOf, count, textOf } from './format.js';
import { dump } from './hex.js';
import { pretty } from './json.js';
import { recall, remember } from './storage.js';

// What is shown of a message; what is copied is the whole.
const mostCharacters = 256 * 1024;
const mostDumped = 64 * 1024;
const mostColoured = 32 * 1024;

// An Inspector shows one message: as text, as JSON on several lines, or as
// bytes.
export class Inspector {
  #box;
  #entry;
  #forms; // what it can be shown as: functions that write it
  #wanted = recall('as', 'json');

  constructor(box, { onClose, onCopy }) {
    this.#box = box;
    this.#find('#close').onclick = onClose;
    this.#find('#copy-one').onclick = event => onCopy(this.#forms[this.#form](), event.target);
    box.onkeydown = event => event.key === 'Escape' && onClose();
    for (const choice of this.#choices) choice.onchange = () => this.#choose(choice.value);
  }

  // show shows an entry, or without one hides the inspector.
  show(entry) {
    this.#box.hidden = !entry;
    if (!entry || entry === this.#entry) return;
    this.#entry = entry;
    this.#forms = formsOf(entry);
    this.#draw();
    this.#find('#whole').scrollTop = 0;
  }

  focus() { this.#find('#whole').focus(); }

  #find(selector) { return this.#box.querySelector(selector); }

  get #choices() { return this.#box.querySelectorAll('[name=as]'); }

  // The form that was chosen last, if this message has it.
  get #form() { return [this.#wanted, 'text', 'hex'].find(form => form in this.#forms); }

  #choose(form) {
    this.#wanted = form;
    remember('as', form);
    this.#draw();
  }

  #draw() {
    const { number, kind, size, time } = this.#entry;
    for (const choice of this.#choices) {
      choice.disabled = !(choice.value in this.#forms);
      choice.checked = choice.value === this.#form;
    }
    const title = [`#${count(number)}`, kind, clock(time), kind === 'note' ? '' : bytes(size)];
    this.#find('#title').textContent = title.filter(Boolean).join(' · ');
    const written = this.#forms[this.#form](mostDumped);
    const left = written.length - mostCharacters;
    const shown = left <= 0 ? written : `${written.slice(0, mostCharacters)}\n… and ${count(left)} more characters`;
    this.#find('#whole').replaceChildren(...this.#form === 'json' && left <= 0 ? coloured(shown) : [shown]);
  }
}

function formsOf({ kind, data }) {
  const text = textOf(data), json = text && pretty(text);
  const perLine = matchMedia('(width < 40rem)').matches ? 8 : 16;
  return {
    ...text !== undefined && { text: () => text },
    ...json !== undefined && { json: () => json },
    ...kind !== 'note' && { hex: limit => dump(bytesOf(data, limit), perLine) },
  };
}

// coloured is JSON with its strings and names marked, as nodes.
function coloured(json) {
  if (json.length > mostColoured) return [json];
  return json.split(/("(?:[^"\\]|\\.)*"(?:: )?)/).map(part => {
    if (!part.startsWith('"')) return part;
    const mark = document.createElement('span');
    mark.className = part.endsWith(': ') ? 'name' : 'string';
    mark.textContent = part;
    return mark;
  });
}

// clock is the time of day, in this machine's zone.
function clock(time) {
  const date = new Date(performance.timeOrigin + time);
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
