import { bytes, count, duration } from './format.js';

const seconds = 60; // of the chart

// A Meter counts the messages of a connection and draws how many came in each
// of the last seconds. A page cannot send a ping; what it can tell is the time
// from a line that was sent to the next message that came.
export class Meter {
  #find;
  #received = { messages: 0, bytes: 0, perSecond: Array(seconds).fill(0) };
  #sent = { messages: 0, bytes: 0, perSecond: Array(seconds).fill(0) };
  #second = Math.floor(performance.now() / 1000);
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
    this.#askedAt = this.#answer = undefined;
  }

  sent(size, now) {
    this.#add(this.#sent, size, now);
    this.#askedAt ??= now;
  }

  // received reports whether the message is an answer, the first after a line was sent.
  received(size, now) {
    this.#add(this.#received, size, now);
    if (this.#askedAt === undefined) return false;
    this.#answer = now - this.#askedAt;
    this.#askedAt = undefined;
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
    const second = Math.floor(now / 1000), passed = Math.min(seconds, second - this.#second);
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
    this.#put('#received', `${count(messages)} · ${bytes(size)}`);
    this.#put('#sent', `${count(this.#sent.messages)} · ${bytes(this.#sent.bytes)}`);
    this.#put('#answer', this.#answer === undefined ? '–' : duration(this.#answer));
    this.#put('#rate', count(perSecond[seconds - 2])); // the last whole second
  }

  #put(selector, text) {
    const node = this.#find(selector);
    if (node.textContent !== text) node.textContent = text;
  }

  // Nothing at all lies below the edge, out of sight.
  #draw() {
    const chart = this.#find('#chart'), { height } = chart.viewBox.baseVal;
    const shown = ({ perSecond }) => perSecond.slice(0, -1);
    const most = Math.max(1, ...shown(this.#received), ...shown(this.#sent));
    const points = direction => shown(direction).map((n, x) => `${x} ${(height + 1 - (height - 1) * n / most).toFixed(2)}`);
    chart.querySelector('.received').setAttribute('d', `M0 ${height + 2}L${points(this.#received).join('L')}V${height + 2}Z`);
    chart.querySelector('.sent').setAttribute('d', `M0 ${height + 2}L${points(this.#sent).join('L')}`);
    const now = this.#received.perSecond[seconds - 2];
    chart.ariaLabel = `Messages a second over the last minute: now ${count(now)}, at most ${count(most)}`;
  }
}
