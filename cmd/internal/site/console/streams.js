// streamOf takes apart a message of a server that passes both outputs of the
// command on: {"stream":"stderr","data":"..."}.
export function streamOf(message) {
  try {
    const { stream, data } = JSON.parse(message);
    if (typeof data === 'string') return { kind: stream === 'stderr' ? 'stderr' : 'received', data };
  } catch {
    // Of another form: shown as it came.
  }
  return { kind: 'received', data: message };
}
