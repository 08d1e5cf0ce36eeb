// A browser does not tell a page why a handshake failed. refusalAt asks the server,
// by a plain request for the same path, how it would answer one now. It resolves to
// the status and the reason; to the status 204 if the server would let the page in,
// 0 if it redirects, and without one if nobody answers.
export async function refusalAt(address, signal) {
  const url = new URL(address);
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  try {
    const answer = await fetch(url, {
      headers: { 'Wsbridge-Origin': location.origin },
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
    });
    return { status: answer.status, reason: await reasonIn(answer) };
  } catch {
    return {};
  }
}

// A proxy may answer with a page of its own instead of a reason.
async function reasonIn(answer) {
  const text = /^text\/plain\b/.test(answer.headers.get('Content-Type')) ? (await answer.text()).trim() : '';
  return text && text.length <= 200 && !text.includes('\n') ? text : answer.statusText;
}
