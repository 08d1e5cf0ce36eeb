// What the page remembers. A browser may forbid it (a policy, a private
// window, a full disk); then the page does without a memory.

const prefix = 'wsbridge.';

export function recall(key, otherwise, area = 'localStorage') {
  try {
    return JSON.parse(window[area].getItem(prefix + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value, area = 'localStorage') {
  try {
    window[area].setItem(prefix + key, JSON.stringify(value));
  } catch {
    // It is forgotten at the next reload.
  }
}
