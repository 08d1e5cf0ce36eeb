import { History } from './history.js';
import { messagesIn, messagesOf } from './messages.js';
import { recall, remember } from './storage.js';

const mostUnsent = 2 ** 20; // bytes that may wait in the browser while a file is sent

// A Composer is where messages are written. send is called with each, ready
// before the first: it resolves when there is a connection. note takes what is
// worth a line in the log.
export class Composer {
  #find;
  #to;
  #binary;
  #history = new History();
  #sendingFile = false;

  constructor(find, binary, to) {
    this.#find = find;
    this.#binary = binary;
    this.#to = to;
    const how = find('#how');
    how.value = recall('how', 'lines');
    if (!how.value) how.value = 'lines';
    how.onchange = () => {
      remember('how', how.value);
      this.#check();
    };
    find('#composer').onsubmit = event => {
      event.preventDefault();
      this.#send();
    };
    find('#line').oninput = () => this.#fit();
    find('#line').onkeydown = event => this.#key(event);
    find('#file').onclick = () => this.#sendingFile ? this.#sendingFile = false : find('#picker').click();
    find('#picker').onchange = event => this.#sendFile(event.target.files[0]);
    this.#takeDrops();
  }

  // invite moves to where one types; not on a phone, whose keyboard would hide
  // the log.
  invite() {
    if (!matchMedia('(pointer: coarse)').matches) this.#find('#line').focus();
  }

  async #send() {
    const line = this.#find('#line'), text = line.value;
    let messages;
    try {
      messages = messagesOf(text, this.#find('#how').value, this.#binary);
    } catch (problem) {
      this.#complain(problem.message);
      return;
    }
    this.#history.add(text);
    this.#write('');
    if (await this.#to.ready()) messages.forEach(this.#to.send);
    else if (!line.value) this.#write(text);
  }

  async #sendFile(file) {
    this.#find('#picker').value = '';
    if (!file || this.#sendingFile) return;
    this.#showSending(true);
    let sent = 0;
    try {
      if (!await this.#to.ready()) return;
      for await (const message of messagesIn(file, this.#find('#how').value, this.#binary)) {
        while (this.#sendingFile && this.#to.unsent() > mostUnsent) await new Promise(go => setTimeout(go, 5));
        if (!this.#sendingFile || !this.#to.isOpen()) break;
        this.#to.send(message);
        sent++;
      }
      this.#to.note(`file ${file.name} sent: ${sent} message${sent === 1 ? '' : 's'}`);
    } catch (problem) {
      this.#complain(problem.message);
    } finally {
      this.#showSending(false);
    }
  }

  #showSending(sending) {
    this.#sendingFile = sending;
    this.#find('#file').textContent = sending ? 'Stop' : 'File…';
  }

  // Enter sends; the arrows walk through the history where they would leave
  // the text.
  #key(event) {
    const line = event.target, { value, selectionStart, selectionEnd } = line;
    if (event.isComposing || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'ArrowUp' && !value.slice(0, selectionStart).includes('\n')) {
      this.#replace(event, this.#history.back(value));
    } else if (event.key === 'ArrowDown' && !value.slice(selectionEnd).includes('\n')) {
      this.#replace(event, this.#history.forth());
    }
  }

  #replace(event, text) {
    if (text === undefined) return;
    event.preventDefault();
    this.#write(text);
  }

  #write(text) {
    this.#find('#line').value = text;
    this.#fit();
  }

  // As high as the text, up to where it would crowd out the log.
  #fit() {
    const line = this.#find('#line');
    line.rows = Math.min(8, line.value.split('\n').length);
    this.#check();
  }

  // Says what is wrong with hex only when it is sent; but takes it back as
  // soon as it is right.
  #check() {
    if (this.#find('#trouble').textContent) this.#complain('');
  }

  #complain(what) {
    this.#find('#trouble').textContent = what;
    this.#find('#line').ariaInvalid = what !== '';
  }

  #takeDrops() {
    addEventListener('dragover', event => event.preventDefault());
    addEventListener('drop', event => {
      event.preventDefault();
      this.#sendFile(event.dataTransfer.files[0]);
    });
  }
}
