import { strip, styled } from './ansi.js';
import { bytes, bytesOf, count, picturesInLines, textOf } from './format.js';
import { dump } from './hex.js';
import { pretty } from './json.js';
import { recall, remember } from './storage.js';

// What is shown of a message; what is copied is the whole.
const mostCharacters = 256 * 1024;
const mostDumped = 64 * 1024;
const mostColoured = 32 * 1024;

// Where there is no room for it beside the list, the message opens as a sheet.
const asSheet = matchMedia('(width < 40rem), (height < 30rem), (width < 64rem) and (height < 44rem)');

// An Inspector shows one message: as text, as JSON on several lines, or as
// bytes. Its box is a dialog, which is modal when it is a sheet.
export class Inspector {
  #box;
  #entry;
  #forms; // what it can be shown as: functions that write it
  #wanted = recall('as', 'json');

  constructor(box, { onClose, onCopy }) {
    this.#box = box;
    this.#find('#close').onclick = onClose;
    this.#find('#copy-one').onclick = event => onCopy(strip(this.#forms[this.#form]()), event.target);
    box.onkeydown = event => {
      if (event.key === 'Escape') onClose();
    };
    box.oncancel = event => { // the button or gesture of a phone that goes back
      event.preventDefault();
      onClose();
    };
    box.onclick = event => {
      if (event.target === box) onClose(); // beside the sheet
    };
    for (const choice of this.#choices) choice.onchange = () => this.#choose(choice.value);
    asSheet.onchange = () => {
      if (!box.open) return;
      box.close();
      this.#open();
    };
  }

  // show shows an entry, or without one closes the inspector. A sheet does not open by
  // itself: it would hide the list from whoever walks through it.
  show(entry) {
    if (!entry) {
      this.#box.close();
      return;
    }
    if (entry !== this.#entry) {
      this.#entry = entry;
      this.#forms = formsOf(entry);
      this.#draw();
    }
    if (!asSheet.matches) this.#open();
  }

  // open opens a sheet. What is there already gets the focus if that is wanted.
  open(focus) {
    if (!this.#box.open) this.#open();
    if (focus || asSheet.matches) this.#find('#whole').focus();
  }

  #open() {
    if (this.#box.open) return;
    if (asSheet.matches) this.#box.showModal();
    else this.#box.setAttribute('open', ''); // show would take the focus
    this.#find('#whole').scrollTop = 0;
  }

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
    this.#find('#whole').replaceChildren(...this.#nodes(shown));
    this.#find('#whole').scrollTop = 0;
  }

  #nodes(shown) {
    if (shown.length > mostColoured) return [picturesInLines(strip(shown))];
    return this.#form === 'json' ? coloured(shown) : styled(shown, picturesInLines);
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
