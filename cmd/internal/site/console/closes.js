// Close codes in words. wsbridge closes with 4000 + N when the command exits
// with status N, and with 4128 + S when signal S kills it; the other codes are
// those of RFC 6455, section 7.4.1, and of the registry that it began.

const meanings = {
  1000: 'the command ended with exit status 0',
  1001: 'the server has ended the connection',
  1002: 'the server takes what was sent for a breach of the protocol',
  1003: 'the server does not take messages of this kind',
  1005: 'closed without a code',
  1006: 'the connection was lost: the server is gone, or did not hear from this page for too long',
  1007: 'the server could not read what was sent',
  1008: 'the server’s policy does not allow this',
  1009: 'the message was larger than the server takes (--maxframesize)',
  1010: 'the server lacks an extension',
  1011: 'the server could not start or go on with the command',
  1012: 'the command is being restarted',
  1013: 'the server has too much to do; try again later',
  1014: 'a server behind this one gave a bad answer',
  1015: 'the TLS handshake failed',
  4404: 'the server knows this session no longer',
  4409: 'another connection has taken over',
  4410: 'the server no longer keeps what was missed',
};

// Of several causes for one code only the reason tells.
const causes = {
  'server shutting down': 'the server is shutting down',
  'session timeout': 'the connection was as old as the server lets it become (--timeout)',
  idle: 'nothing was said for as long as the server allows (--idletimeout)',
};

// Those that have the same number everywhere.
const signals = {
  1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 8: 'SIGFPE',
  9: 'SIGKILL', 11: 'SIGSEGV', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM',
};

// ending says why a connection ended that was open, or never became so, as in
// "4003: the command ended with exit status 3", or for a handshake that the server
// has refused "429: too many sessions".
export function ending({ code, reason, opened, ours, refusal }) {
  if (ours) return 'Disconnected';
  if (code === 1006 && !opened) return failing(refusal);
  if (code > 4000 && code < 4256) return `${code}: the command ${commandsEnd(code - 4000, reason)}`;
  if (code === 1001 && Object.hasOwn(causes, reason)) return `${code}: ${causes[reason]}`;
  const meaning = meanings[code] ?? 'closed with a code of the command’s or the server’s own';
  return `${code}: ${meaning}${reason ? ` (${reason})` : ''}`;
}

function failing({ status, reason }) {
  if (status === undefined) return '1006: no connection: the server cannot be reached';
  if (status === 0) return '1006: no connection: the server redirects this address, perhaps to a login';
  if (status < 400) return '1006: no connection, but the server would accept one now: try again; a proxy on the way may not pass WebSockets on';
  return `${status}: ${reason || 'the server has refused the connection'}`;
}

// commandsEnd tells an exit status over 128 from a signal by the reason.
function commandsEnd(n, reason) {
  const number = n - 128, name = signals[number];
  const signal = `signal ${number}${name ? ` (${name})` : ''}`;
  if (n > 128 && !reason.startsWith('exit status')) return `was killed by ${signal}`;
  return `ended with exit status ${n}${n > 128 && name ? `, as a shell does after ${signal}` : ''}`;
}
