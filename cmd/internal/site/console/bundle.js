// Made of main.js and its modules by go generate. Their SHA-256: ed40202ccd15a12b850cfd9a8128b079435e58455f720305b8c00b9f3d43d302
// storage.js
var prefix = "wsbridge.";
function recall(key, otherwise, area = "localStorage") {
  try {
    return JSON.parse(window[area].getItem(prefix + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
function remember(key, value, area = "localStorage") {
  try {
    window[area].setItem(prefix + key, JSON.stringify(value));
  } catch {
  }
}

// address.js
var Address = class {
  #field;
  #page = location.href.replace(/#.*/, "");
  constructor(field) {
    this.#field = field;
    const kept = recall("tab", {}, "sessionStorage");
    const same = kept.page === this.#page;
    field.value = same ? kept.address : this.#own().href;
    this.resumes = same && kept.connected && performance.getEntriesByType("navigation")[0]?.type === "reload";
  }
  get value() {
    return this.#field.value;
  }
  get path() {
    return this.value.replace(/^wss?:\/\/[^/]*/, "");
  }
  // read returns the URL, completed from what may be as short as "/path?a=1".
  read() {
    const own = this.#own();
    if (!URL.canParse(this.value.trim(), own)) throw new Error("this address is not a URL");
    const url = new URL(this.value.trim(), own);
    if (url.host !== own.host) throw new Error(`this page may connect only to the server that it came from, ${own.host}`);
    url.protocol = own.protocol;
    url.hash = "";
    return this.#field.value = url.href;
  }
  remember(connected) {
    remember("tab", { page: this.#page, address: this.value, connected }, "sessionStorage");
  }
  #own() {
    const url = new URL(this.#page);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  }
};

// closes.js
var meanings = {
  1e3: "the command ended with exit status 0",
  1001: "the server has ended the connection",
  1002: "the server takes what was sent for a breach of the protocol",
  1003: "the server does not take messages of this kind",
  1005: "closed without a code",
  1006: "the connection was lost: the server is gone, or did not hear from this page for too long",
  1007: "the server could not read what was sent",
  1008: "the server’s policy does not allow this",
  1009: "the message was larger than the server takes (--maxframesize)",
  1010: "the server lacks an extension",
  1011: "the server could not start or go on with the command",
  1012: "the command is being restarted",
  1013: "the server has too much to do; try again later",
  1014: "a server behind this one gave a bad answer",
  1015: "the TLS handshake failed"
};
var causes = {
  "server shutting down": "the server is shutting down",
  "session timeout": "the connection was as old as the server lets it become (--timeout)",
  idle: "nothing was said for as long as the server allows (--idletimeout)"
};
var signals = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM"
};
function ending({ code, reason, opened, ours }) {
  if (ours) return "Disconnected";
  if (code === 1006 && !opened) return "1006: no connection: the server is not there, or has refused it (its log says why)";
  if (code > 4e3 && code < 4256) return `${code}: the command ${commandsEnd(code - 4e3, reason)}`;
  if (code === 1001 && Object.hasOwn(causes, reason)) return `${code}: ${causes[reason]}`;
  const meaning = meanings[code] ?? "closed with a code of the command’s or the server’s own";
  return `${code}: ${meaning}${reason ? ` (${reason})` : ""}`;
}
function commandsEnd(n, reason) {
  const number = n - 128, name = signals[number];
  const signal = `signal ${number}${name ? ` (${name})` : ""}`;
  if (n > 128 && !reason.startsWith("exit status")) return `was killed by ${signal}`;
  return `ended with exit status ${n}${n > 128 && name ? `, as a shell does after ${signal}` : ""}`;
}

// history.js
var mostLines = 200;
var longest = 1e4;
var History = class {
  #lines = recall("history", []).filter((line) => typeof line === "string");
  #at = this.#lines.length;
  #draft = "";
  add(line) {
    if (line && line.length <= longest && line !== this.#lines.at(-1)) {
      this.#lines = [...recall("history", this.#lines), line].slice(-mostLines);
      remember("history", this.#lines);
    }
    this.#at = this.#lines.length;
    this.#draft = "";
  }
  // back and forth take what is written now and return what to show in its
  // place, or undefined at the end of the way.
  back(current) {
    if (this.#at === 0) return void 0;
    if (this.#at === this.#lines.length) this.#draft = current;
    return this.#lines[--this.#at];
  }
  forth() {
    if (this.#at === this.#lines.length) return void 0;
    return this.#lines[++this.#at] ?? this.#draft;
  }
};

// hex.js
var pairs = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
function hexOf(data) {
  let text2 = "";
  for (const byte of data) text2 += pairs[byte] + " ";
  return text2.trimEnd();
}
function dump(data, perLine) {
  const lines = [];
  for (let at = 0; at < data.length; at += perLine) {
    const line = data.subarray(at, at + perLine);
    const text2 = String.fromCharCode(...line).replace(/[^ -~]/g, ".");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hexOf(line).padEnd(3 * perLine)} ${text2}`);
  }
  return lines.join("\n");
}
function parseHex(text2) {
  const data = [];
  for (const word of text2.split(/[\s,;:-]+/)) {
    const nibbles = word.replace(/^(0x|\\x)/i, "");
    const wrong = nibbles.match(/[^0-9a-f]/iu);
    if (wrong) throw new Error(`“${wrong[0]}” is not a hexadecimal digit`);
    if (nibbles.length % 2) throw new Error(`“${word}” has an odd number of digits`);
    for (let i = 0; i < nibbles.length; i += 2) data.push(parseInt(nibbles.slice(i, i + 2), 16));
  }
  return Uint8Array.from(data);
}

// messages.js
var encode = (text2) => new TextEncoder().encode(text2);
function messagesOf(text2, how, binary) {
  if (how === "hex") return [parseHex(text2)];
  if (how === "whole") return [binary ? encode(text2) : text2];
  return text2.split("\n").map((line) => binary ? encode(line + "\n") : line);
}
var piece = 64 * 1024;
async function* messagesIn(file, how, binary) {
  if (how !== "lines") {
    const data = new Uint8Array(await file.arrayBuffer());
    yield how === "hex" || binary ? data : textOr(data);
    return;
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for (let at = 0; at < file.size; at += piece) {
    const data = new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
    if (binary) {
      yield data;
      continue;
    }
    const lines = (rest + decode(decoder, data, at + piece < file.size)).split(/\r?\n/);
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}
function decode(decoder, data, stream) {
  try {
    return decoder.decode(data, { stream });
  } catch {
    throw new Error("the file is not text in UTF-8; send it as one message");
  }
}
function textOr(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return data;
  }
}

// composer.js
var mostUnsent = 2 ** 20;
var Composer = class {
  #find;
  #to;
  #binary;
  #history = new History();
  #sendingFile = false;
  constructor(find, binary, to) {
    this.#find = find;
    this.#binary = binary;
    this.#to = to;
    const how = find("#how");
    how.value = recall("how", "lines");
    if (!how.value) how.value = "lines";
    how.onchange = () => {
      remember("how", how.value);
      this.#check();
    };
    find("#composer").onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    find("#line").oninput = () => this.#fit();
    find("#line").onkeydown = (event) => this.#key(event);
    find("#file").onclick = () => this.#sendingFile ? this.#sendingFile = false : find("#picker").click();
    find("#picker").onchange = (event) => this.#sendFile(event.target.files[0]);
    this.#takeDrops();
  }
  // invite moves to where one types; not on a phone, whose keyboard would hide
  // the log.
  invite() {
    if (!matchMedia("(pointer: coarse)").matches) this.#find("#line").focus();
  }
  async #send() {
    const line = this.#find("#line"), text2 = line.value;
    let messages;
    try {
      messages = messagesOf(text2, this.#find("#how").value, this.#binary);
    } catch (problem) {
      this.#complain(problem.message);
      return;
    }
    this.#history.add(text2);
    this.#write("");
    if (await this.#to.ready()) messages.forEach(this.#to.send);
    else if (!line.value) this.#write(text2);
  }
  async #sendFile(file) {
    this.#find("#picker").value = "";
    if (!file || this.#sendingFile) return;
    this.#showSending(true);
    let sent = 0;
    try {
      if (!await this.#to.ready()) return;
      for await (const message of messagesIn(file, this.#find("#how").value, this.#binary)) {
        while (this.#sendingFile && this.#to.unsent() > mostUnsent) await new Promise((go) => setTimeout(go, 5));
        if (!this.#sendingFile || !this.#to.isOpen()) break;
        this.#to.send(message);
        sent++;
      }
      this.#to.note(`file ${file.name} sent: ${sent} message${sent === 1 ? "" : "s"}`);
    } catch (problem) {
      this.#complain(problem.message);
    } finally {
      this.#showSending(false);
    }
  }
  #showSending(sending) {
    this.#sendingFile = sending;
    this.#find("#file").textContent = sending ? "Stop" : "File…";
  }
  // Enter sends; the arrows walk through the history where they would leave
  // the text.
  #key(event) {
    const line = event.target, { value, selectionStart, selectionEnd } = line;
    if (event.isComposing || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) {
      this.#replace(event, this.#history.back(value));
    } else if (event.key === "ArrowDown" && !value.slice(selectionEnd).includes("\n")) {
      this.#replace(event, this.#history.forth());
    }
  }
  #replace(event, text2) {
    if (text2 === void 0) return;
    event.preventDefault();
    this.#write(text2);
  }
  #write(text2) {
    this.#find("#line").value = text2;
    this.#fit();
  }
  // As high as the text, up to where it would crowd out the log.
  #fit() {
    const line = this.#find("#line");
    line.rows = Math.min(8, line.value.split("\n").length);
    this.#check();
  }
  // Says what is wrong with hex only when it is sent; but takes it back as
  // soon as it is right.
  #check() {
    if (this.#find("#trouble").textContent) this.#complain("");
  }
  #complain(what) {
    this.#find("#trouble").textContent = what;
    this.#find("#line").ariaInvalid = what !== "";
  }
  #takeDrops() {
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.#sendFile(event.dataTransfer.files[0]);
    });
  }
};

// connection.js
var Connection = class {
  state = "closed";
  retry = false;
  // whether to connect again when a connection ends
  retryAt = 0;
  #address;
  #socket;
  #failures = 0;
  // in a row
  #timer;
  constructor({ onState: onState2, onMessage: onMessage2, onEnd: onEnd2 }) {
    this.onState = onState2;
    this.onMessage = onMessage2;
    this.onEnd = onEnd2;
  }
  // connect may throw, when the browser does not take the address.
  connect(address2) {
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#address = address2;
    this.#open();
  }
  disconnect() {
    if (this.state === "waiting") {
      clearTimeout(this.#timer);
      this.#become("closed");
    } else if (this.#socket) {
      this.#socket.close(1e3);
      this.#become("closing");
    }
  }
  // send wants an open connection.
  send(data) {
    this.#socket.send(data);
  }
  // unsent is how many bytes the browser still has to send.
  get unsent() {
    return this.#socket?.bufferedAmount ?? 0;
  }
  #open() {
    const socket = new WebSocket(this.#address);
    socket.binaryType = "arraybuffer";
    let openedAt;
    socket.onopen = () => {
      openedAt = performance.now();
      if (this.state === "connecting") this.#become("open");
    };
    socket.onmessage = (event) => this.onMessage(event.data);
    socket.onclose = ({ code, reason }) => {
      const ours = this.state === "closing";
      this.#socket = void 0;
      this.onEnd({ code, reason, opened: openedAt !== void 0, ours });
      if (performance.now() - openedAt > 5e3) this.#failures = 0;
      if (!ours && (this.retry || code === 1012)) this.#wait(code);
      else this.#become("closed");
    };
    this.#socket = socket;
    this.#become("connecting");
  }
  // Next to nothing when the server has ended the connection for a new command,
  // to which a page goes on without being asked to reconnect. Else half a second, then twice as long each time up to half a minute, and a
  // little by chance, so that not all pages come back at once when a server
  // does. A connection that has held for five seconds begins anew.
  #wait(code) {
    const delay = code === 1012 ? 100 : Math.min(3e4, 500 * 2 ** this.#failures++) * (1 + Math.random() / 4);
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#open(), delay);
    this.#become("waiting");
  }
  #become(state) {
    this.state = state;
    this.onState(state);
  }
};

// format.js
var digits = new Intl.NumberFormat("en");
var count = (n) => digits.format(n);
function bytes(n) {
  if (n < 1024) return `${n} B`;
  let unit = -1;
  for (; n >= 1023.5; unit++) n /= 1024;
  return `${n < 9.95 ? n.toFixed(1) : Math.round(n)} ${["KiB", "MiB", "GiB", "TiB"][unit]}`;
}
function duration(ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59950) return `${(ms / 1e3).toFixed(ms < 9995 ? 2 : 1)} s`;
  const seconds2 = Math.round(ms / 1e3), minutes = Math.floor(seconds2 / 60), hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours} h ${minutes % 60} m` : `${minutes} m ${seconds2 % 60} s`;
}
function byteLength(text2) {
  let n = text2.length;
  for (let i = 0; i < text2.length; i++) {
    const unit = text2.charCodeAt(i);
    if (unit < 128) continue;
    n += unit < 2048 || unit >= 55296 && unit < 57344 ? 1 : 2;
  }
  return n;
}
var sizeOf = (data) => typeof data === "string" ? byteLength(data) : data.length;
function bytesOf(data, limit = Infinity) {
  if (typeof data === "string") data = new TextEncoder().encode(data.slice(0, limit));
  return data.subarray(0, limit);
}
function textOf(data, limit = Infinity) {
  if (typeof data === "string") return data.slice(0, limit);
  try {
    const cut = { stream: data.length > limit };
    const text2 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data.subarray(0, limit), cut);
    return /[\0-\x06\x0e-\x1a\x7f]/.test(text2) ? void 0 : text2;
  } catch {
    return void 0;
  }
}
var previewed = 500;
function preview(data, asHex) {
  const text2 = asHex ? void 0 : textOf(data, previewed);
  if (text2 === void 0) return hexOf(bytesOf(data, previewed / 2));
  return text2.replace(/[\0-\x1f\x7f]/g, (c) => c === "" ? "␡" : String.fromCharCode(9216 + c.charCodeAt(0)));
}

// export.js
function plain(entries) {
  return Array.from(entries, ({ kind, time, data }) => `${timestamp(time)}	${kind}	${textOf(data) ?? hexOf(data)}
`).join("");
}
function jsonLines(entries) {
  return Array.from(entries, ({ kind, time, data }) => {
    const text2 = textOf(data);
    return JSON.stringify({ time: timestamp(time), kind, ...text2 === void 0 ? { hex: hexOf(data) } : { text: text2 } }) + "\n";
  });
}
var timestamp = (time) => new Date(performance.timeOrigin + time).toISOString();
function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 6e4);
}
async function copy(text2) {
  try {
    await navigator.clipboard.writeText(text2);
    return true;
  } catch {
    const area = document.createElement("textarea"), focused = document.activeElement;
    area.value = text2;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}

// frames.js
function eachFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

// json.js
function pretty(text2) {
  if (!isJSON(text2)) return void 0;
  const tokens = text2.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  let out = "", depth = 0;
  const newline = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, i) => {
    const before = tokens[i - 1];
    if (token === "}" || token === "]") {
      depth--;
      out += before === "{" || before === "[" ? token : newline() + token;
      return;
    }
    if (before === "{" || before === "[" || before === ",") out += newline();
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth++;
  });
  return out;
}
function isJSON(text2) {
  if (!/^\s*[{[]/.test(text2)) return false;
  try {
    JSON.parse(text2);
    return true;
  } catch {
    return false;
  }
}

// inspector.js
var mostCharacters = 256 * 1024;
var mostDumped = 64 * 1024;
var mostColoured = 32 * 1024;
var Inspector = class {
  #box;
  #entry;
  #forms;
  // what it can be shown as: functions that write it
  #wanted = recall("as", "json");
  constructor(box, { onClose, onCopy }) {
    this.#box = box;
    this.#find("#close").onclick = onClose;
    this.#find("#copy-one").onclick = (event) => onCopy(this.#forms[this.#form](), event.target);
    box.onkeydown = (event) => event.key === "Escape" && onClose();
    for (const choice of this.#choices) choice.onchange = () => this.#choose(choice.value);
  }
  // show shows an entry, or without one hides the inspector.
  show(entry) {
    this.#box.hidden = !entry;
    if (!entry || entry === this.#entry) return;
    this.#entry = entry;
    this.#forms = formsOf(entry);
    this.#draw();
    this.#find("#whole").scrollTop = 0;
  }
  focus() {
    this.#find("#whole").focus();
  }
  #find(selector) {
    return this.#box.querySelector(selector);
  }
  get #choices() {
    return this.#box.querySelectorAll("[name=as]");
  }
  // The form that was chosen last, if this message has it.
  get #form() {
    return [this.#wanted, "text", "hex"].find((form) => form in this.#forms);
  }
  #choose(form) {
    this.#wanted = form;
    remember("as", form);
    this.#draw();
  }
  #draw() {
    const { number, kind, size, time } = this.#entry;
    for (const choice of this.#choices) {
      choice.disabled = !(choice.value in this.#forms);
      choice.checked = choice.value === this.#form;
    }
    const title = [`#${count(number)}`, kind, clock(time), kind === "note" ? "" : bytes(size)];
    this.#find("#title").textContent = title.filter(Boolean).join(" · ");
    const written = this.#forms[this.#form](mostDumped);
    const left = written.length - mostCharacters;
    const shown = left <= 0 ? written : `${written.slice(0, mostCharacters)}
… and ${count(left)} more characters`;
    this.#find("#whole").replaceChildren(...this.#form === "json" && left <= 0 ? coloured(shown) : [shown]);
  }
};
function formsOf({ kind, data }) {
  const text2 = textOf(data), json = text2 && pretty(text2);
  const perLine = matchMedia("(width < 40rem)").matches ? 8 : 16;
  return {
    ...text2 !== void 0 && { text: () => text2 },
    ...json !== void 0 && { json: () => json },
    ...kind !== "note" && { hex: (limit) => dump(bytesOf(data, limit), perLine) }
  };
}
function coloured(json) {
  if (json.length > mostColoured) return [json];
  return json.split(/("(?:[^"\\]|\\.)*"(?:: )?)/).map((part) => {
    if (!part.startsWith('"')) return part;
    const mark = document.createElement("span");
    mark.className = part.endsWith(": ") ? "name" : "string";
    mark.textContent = part;
    return mark;
  });
}
function clock(time) {
  const date = new Date(performance.timeOrigin + time);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

// list.js
var signs = { received: "↓", sent: "↑", stderr: "!", note: "·" };
var names = { received: "received", sent: "sent", stderr: "standard error", note: "note" };
var spare = 4;
var List = class {
  asHex = false;
  selected;
  // an entry
  #box;
  #log;
  #onSelect;
  #onOpen;
  #onDraw;
  #space = element("div", "space");
  // as high as all rows would be
  #window = element("div", "window");
  // the rows that exist
  #rows = [];
  #rowHeight;
  #height;
  #following = true;
  // stay at the newest entry
  #gone = 0;
  // onSelect gets an entry, or undefined; onOpen is for the Enter key on one;
  // onDraw gets whether the newest entry is out of sight.
  constructor(box, log2, { onSelect, onOpen, onDraw }) {
    this.#box = box;
    this.#log = log2;
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.#onDraw = onDraw;
    this.changed = eachFrame(() => this.#draw());
    this.#space.append(this.#window);
    box.append(this.#space);
    new ResizeObserver(() => this.#measure()).observe(box);
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    box.addEventListener("click", (event) => this.#clicked(event));
    box.addEventListener("keydown", (event) => this.#key(event));
    this.#measure();
  }
  // follow goes to the newest entry and stays there.
  follow() {
    this.#following = true;
    this.changed();
  }
  // redraw writes all rows anew, because entries look different now.
  redraw() {
    for (const row of this.#rows) row.entry = void 0;
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
    const whole = view.length * rowHeight, end2 = Math.max(0, whole - this.#height);
    let top = end2;
    if (!this.#following) top = Math.min(end2, this.#box.scrollTop - (this.#log.gone - this.#gone) * rowHeight);
    top = Math.max(0, top);
    this.#gone = this.#log.gone;
    const first = Math.max(0, Math.floor(top / rowHeight) - spare);
    const last = Math.min(view.length, Math.ceil((top + this.#height) / rowHeight) + spare);
    while (this.#rows.length < last - first) this.#addRow();
    this.#rows.forEach((row, i) => row.show(first + i < last ? view.at(first + i) : void 0, first + i, view.length, this));
    this.#window.style.transform = `translateY(${first * rowHeight}px)`;
    this.#space.style.height = `${whole}px`;
    if (this.#following || top !== this.#box.scrollTop) this.#box.scrollTop = top;
    this.#markActive();
    this.#onDraw(top < end2 - rowHeight / 2);
  }
  #addRow() {
    const row = new Row(`row-${this.#rows.length}`);
    this.#rows.push(row);
    this.#window.append(row.box);
    return row;
  }
  #markActive() {
    const row = this.selected && this.#rows.find((row2) => row2.entry === this.selected);
    if (row) this.#box.setAttribute("aria-activedescendant", row.box.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }
  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#box;
    this.#following = scrollTop + clientHeight >= scrollHeight - this.#rowHeight / 2;
    this.changed();
  }
  #clicked(event) {
    const row = this.#rows.find((row2) => row2.box.contains(event.target));
    if (row?.entry && getSelection().isCollapsed) this.select(row.entry);
  }
  #key(event) {
    if (event.key === "Enter" && this.selected) this.#onOpen();
    if (event.key === "Escape" && this.selected) this.select(void 0);
    const view = this.#log.view, page = Math.max(1, Math.floor(this.#height / this.#rowHeight) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in steps) || view.length === 0) return;
    event.preventDefault();
    const at = this.#indexOf(this.selected);
    const to = at < 0 && event.key !== "Home" ? view.length - 1 : at + steps[event.key];
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
};
var Row = class {
  entry;
  box = element("div", "row");
  #since = text(this.box, "since");
  #size = text(this.box, "size");
  #sign = text(this.box, "sign");
  #kind = text(this.box, "unseen");
  #data = text(this.box, "data");
  constructor(id) {
    this.box.id = id;
    this.box.setAttribute("role", "option");
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
    this.#since.data = entry.since >= 0 ? `+${duration(entry.since)}` : "";
    this.#sign.data = signs[entry.kind];
    this.#kind.data = names[entry.kind];
    this.#size.data = entry.kind === "note" ? "" : bytes(entry.size);
    this.#data.data = preview(entry.data, asHex && entry.kind !== "note");
  }
};
function element(name, className) {
  const e = document.createElement(name);
  e.className = className;
  return e;
}
function text(box, className) {
  const span = element("span", className), node = new Text();
  span.append(node);
  box.append(span);
  return node;
}

// queue.js
var Queue = class {
  #items = [];
  #front = 0;
  get length() {
    return this.#items.length - this.#front;
  }
  at(i) {
    return this.#items[this.#front + i];
  }
  push(item) {
    this.#items.push(item);
  }
  shift() {
    const item = this.#items[this.#front];
    this.#items[this.#front++] = void 0;
    if (this.#front > 1e3 && this.#front > this.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }
  *[Symbol.iterator]() {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
};

// log.js
var mostEntries = 5e4;
var mostBytes = 64 * 2 ** 20;
var Log = class {
  #kept = new Queue();
  #bytes = 0;
  #added = 0;
  #last;
  // the time of the last entry
  #passes;
  // entry => boolean; undefined lets all through
  #frozen;
  // while paused: the entries of that moment
  #view = this.#kept;
  // #kept itself as long as everything is shown
  #waiting = 0;
  #gone = 0;
  get view() {
    return this.#view;
  }
  // waiting is how many entries have come since the pause began.
  get waiting() {
    return this.#waiting;
  }
  // gone is how many entries have left the front of the view to make room.
  get gone() {
    return this.#gone;
  }
  get paused() {
    return this.#frozen !== void 0;
  }
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
    this.#frozen = void 0;
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
};
function those(entries, passes = () => true) {
  const found = new Queue();
  for (const entry of entries) if (passes(entry)) found.push(entry);
  return found;
}

// meter.js
var seconds = 60;
var Meter = class {
  #find;
  #received = { messages: 0, bytes: 0, perSecond: Array(seconds).fill(0) };
  #sent = { messages: 0, bytes: 0, perSecond: Array(seconds).fill(0) };
  #second = Math.floor(performance.now() / 1e3);
  #askedAt;
  #answer;
  constructor(find) {
    this.#find = find;
    setInterval(() => this.#write(), 250);
    this.#draw();
  }
  // begin is for a new connection. The chart goes on.
  begin() {
    Object.assign(this.#received, { messages: 0, bytes: 0 });
    Object.assign(this.#sent, { messages: 0, bytes: 0 });
    this.#askedAt = this.#answer = void 0;
  }
  sent(size, now) {
    this.#add(this.#sent, size, now);
    this.#askedAt ??= now;
  }
  // received reports whether the message is an answer, the first after a line was sent.
  received(size, now) {
    this.#add(this.#received, size, now);
    if (this.#askedAt === void 0) return false;
    this.#answer = now - this.#askedAt;
    this.#askedAt = void 0;
    return true;
  }
  #add(direction, size, now) {
    this.#moveTo(now);
    direction.messages++;
    direction.bytes += size;
    direction.perSecond[seconds - 1]++;
  }
  // moveTo makes the last of perSecond the second of now.
  #moveTo(now) {
    const second = Math.floor(now / 1e3), passed = Math.min(seconds, second - this.#second);
    if (passed <= 0) return;
    this.#second = second;
    for (const { perSecond } of [this.#received, this.#sent]) {
      perSecond.splice(0, passed);
      perSecond.push(...Array(passed).fill(0));
    }
    this.#draw();
  }
  #write() {
    this.#moveTo(performance.now());
    const { messages, bytes: size, perSecond } = this.#received;
    this.#put("#received", `${count(messages)} · ${bytes(size)}`);
    this.#put("#sent", `${count(this.#sent.messages)} · ${bytes(this.#sent.bytes)}`);
    this.#put("#answer", this.#answer === void 0 ? "–" : duration(this.#answer));
    this.#put("#rate", count(perSecond[seconds - 2]));
  }
  #put(selector, text2) {
    const node = this.#find(selector);
    if (node.textContent !== text2) node.textContent = text2;
  }
  // Nothing at all lies below the edge, out of sight.
  #draw() {
    const chart = this.#find("#chart"), { height } = chart.viewBox.baseVal;
    const shown = ({ perSecond }) => perSecond.slice(0, -1);
    const most = Math.max(1, ...shown(this.#received), ...shown(this.#sent));
    const points = (direction) => shown(direction).map((n, x) => `${x} ${(height + 1 - (height - 1) * n / most).toFixed(2)}`);
    chart.querySelector(".received").setAttribute("d", `M0 ${height + 2}L${points(this.#received).join("L")}V${height + 2}Z`);
    chart.querySelector(".sent").setAttribute("d", `M0 ${height + 2}L${points(this.#sent).join("L")}`);
    const now = this.#received.perSecond[seconds - 2];
    chart.ariaLabel = `Messages a second over the last minute: now ${count(now)}, at most ${count(most)}`;
  }
};

// streams.js
function streamOf(message) {
  try {
    const { stream, data } = JSON.parse(message);
    if (typeof data === "string") return { kind: stream === "stderr" ? "stderr" : "received", data };
  } catch {
  }
  return { kind: "received", data: message };
}

// main.js
var { messages: framing, stderr } = document.documentElement.dataset;
var $ = (selector) => document.querySelector(selector);
var log = new Log();
var meter = new Meter($);
var address = new Address($("#address"));
var connection = new Connection({ onState, onMessage, onEnd });
var inspector = new Inspector($("#inspector"), { onClose: closeInspector, onCopy: copyAnd });
var list = new List($("#list"), log, {
  onSelect: (entry) => inspector.show(entry),
  onOpen: () => inspector.focus(),
  onDraw: writeAround
});
var composer = new Composer($, framing === "binary", {
  send,
  note,
  ready,
  isOpen: () => connection.state === "open",
  unsent: () => connection.unsent
});
var end = "Not connected";
var waiting = [];
var countdown;
function connect() {
  try {
    connection.connect(address.read());
  } catch (problem) {
    end = `Not connected: ${problem.message}`;
    connection.disconnect();
    onState("closed");
  }
}
async function ready() {
  if (connection.state === "open") return true;
  const opened = new Promise((resolve) => waiting.push(resolve));
  if (connection.state === "closed" || connection.state === "waiting") connect();
  return opened;
}
function onState(state) {
  if (state === "connecting") meter.begin();
  if (state === "open") note(`connected to ${address.value}`);
  if (state !== "connecting") waiting.splice(0).forEach((resolve) => resolve(state === "open"));
  address.remember(state !== "closed");
  clearInterval(countdown);
  if (state === "waiting") countdown = setInterval(writeCountdown, 250);
  writeCountdown();
  $("#state").dataset.state = state;
  $("#toggle").textContent = { connecting: "Cancel", open: "Disconnect", closing: "Disconnect", waiting: "Connect now" }[state] ?? "Connect";
  $("#toggle").className = state === "closed" || state === "waiting" ? "primary" : "";
  $("#address").readOnly = state !== "closed" && state !== "waiting";
  $("#sentence").textContent = { connecting: "Connecting", open: "Connected", closing: "Closing" }[state] ?? end;
  document.title = `${{ open: "●", connecting: "◌", closing: "◌" }[state] ?? "○"} ${address.path} · wsbridge`;
}
function onEnd(how) {
  end = ending(how);
  $("#state").dataset.end = how.ours || how.code === 1e3 ? "good" : "bad";
  note(end);
}
function writeCountdown() {
  const left = Math.ceil((connection.retryAt - performance.now()) / 1e3);
  $("#next").textContent = connection.state === "waiting" ? `next attempt in ${Math.max(1, left)} s` : "";
}
function onMessage(message) {
  const now = performance.now();
  let data = message, kind = "received";
  if (typeof message !== "string") data = new Uint8Array(message);
  else if (stderr === "on") ({ kind, data } = streamOf(message));
  const size = sizeOf(data);
  log.add(kind, data, size, now);
  if (meter.received(size, now)) say(`received: ${preview(data)}`);
  list.changed();
}
function send(data) {
  connection.send(data);
  const now = performance.now(), size = sizeOf(data);
  meter.sent(size, now);
  log.add("sent", data, size, now);
  list.follow();
}
function note(text2) {
  log.add("note", text2, sizeOf(text2), performance.now());
  list.changed();
}
var spoken;
var speaking;
function say(text2) {
  spoken = text2;
  speaking ??= setTimeout(() => {
    $("#spoken").textContent = spoken;
    speaking = void 0;
  }, 1e3);
}
var filter = eachFrame(() => {
  const wanted = $("#filter").value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), kind = $("#kinds").value;
  const words = new RegExp(wanted, "iu");
  const passes = (entry) => (!kind || entry.kind === kind) && (!wanted || words.test(textOf(entry.data) ?? hexOf(entry.data)));
  log.filter(wanted || kind ? passes : void 0);
  list.changed();
});
function writeAround(behind) {
  $("#latest").hidden = !behind;
  $("#empty").hidden = log.view.length > 0;
  $("#empty").dataset.because = $("#filter").value || $("#kinds").value ? "filtered" : "";
  const label = !log.paused ? "Pause" : log.waiting ? `Resume (${count(log.waiting)})` : "Resume";
  if ($("#pause").textContent !== label) $("#pause").textContent = label;
  $("#pause").className = log.paused ? "on" : "";
}
function clear() {
  log.clear();
  list.select(void 0);
  list.follow();
}
function closeInspector() {
  list.select(void 0);
  $("#list").focus();
}
async function copyAnd(text2, button) {
  const label = button.textContent;
  button.textContent = await copy(text2) ? "Copied" : "Not allowed";
  button.disabled = true;
  setTimeout(() => {
    button.textContent = label;
    button.disabled = false;
  }, 1200);
}
function save() {
  const now = (/* @__PURE__ */ new Date()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  download(`wsbridge-${now}.jsonl`, "application/jsonl", jsonLines(log.view));
}
$("#connect").onsubmit = (event) => {
  event.preventDefault();
  if (connection.state === "closed" || connection.state === "waiting") ready().then((open) => open && composer.invite());
  else connection.disconnect();
};
$("#reconnect").onchange = (event) => {
  remember("reconnect", connection.retry = event.target.checked);
  if (!connection.retry && connection.state === "waiting") connection.disconnect();
};
$("#theme").onchange = (event) => remember("theme", document.documentElement.dataset.theme = event.target.value);
$("#filter").oninput = $("#kinds").onchange = filter;
$("#hex").onclick = (event) => {
  list.asHex = !list.asHex;
  event.target.ariaPressed = list.asHex;
  list.redraw();
};
$("#pause").onclick = () => {
  if (log.paused) log.resume();
  else log.pause();
  list.changed();
};
$("#clear").onclick = clear;
$("#copy").onclick = (event) => copyAnd(plain(log.view), event.target);
$("#download").onclick = save;
$("#latest").onclick = () => list.follow();
$("#theme").value = document.documentElement.dataset.theme = recall("theme", "");
$("#reconnect").checked = connection.retry = recall("reconnect", false);
$("#kinds option[value=stderr]").hidden = stderr !== "on";
onState("closed");
if (address.resumes && connection.retry) connect();
