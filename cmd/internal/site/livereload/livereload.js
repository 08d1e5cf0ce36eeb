// Loads the page again when the files that it is made of have changed. The
// server puts this script at the end of pages, or a page has it of its own:
//
//   <script src="/.wsbridge/livereload.js"></script>
//
// A policy of the page must let it in: script-src and connect-src 'self'.
{
  const source = new URL(document.currentScript.src);
  const stream = new URL('livereload', source);
  const memory = `wsbridge livereload ${location.href}`;
  let seen = source.searchParams.get('version'); // of the page; null if that is not known
  let sure = false; // whether the stream has confirmed it
  let events, timer;

  // stale reports whether the page came from before this version, when it is
  // the first that the stream tells of. It is so once: a page that a cache
  // gives out again and again must not be loaded for ever.
  const stale = version => {
    try {
      const already = sessionStorage.getItem(memory) === version;
      sessionStorage.setItem(memory, version);
      return !already;
    } catch {
      return false;
    }
  };

  // Style sheets that are on their way out.
  const leaving = new WeakSet();

  // restyle loads style sheets again without the page, which stays as it is;
  // the old one goes when the new one is there. It reports whether the page
  // has all of them: one that is imported by another is not to be found.
  const restyle = (paths, version) => {
    const links = [...document.querySelectorAll('link[rel~="stylesheet" i][href]')].filter(link => {
      return !leaving.has(link) && !link.integrity && new URL(link.href).origin === source.origin;
    });
    const found = paths.map(path => links.filter(link => new URL(link.href).pathname.endsWith(path)));
    if (found.some(links => links.length === 0)) return false;
    for (const link of new Set(found.flat())) {
      const fresh = link.cloneNode();
      const url = new URL(link.href);
      url.searchParams.set('version', version);
      fresh.href = url;
      fresh.onload = fresh.onerror = () => link.remove();
      leaving.add(link);
      link.after(fresh);
    }
    return true;
  };

  const hear = ({ version, styles }) => {
    const before = seen;
    const first = !sure;
    seen = version;
    sure = true;
    if (before === null || before === version) return;
    if (first && !stale(version)) return;
    if (!styles || !restyle(styles, version)) location.reload();
  };

  // A page that is not shown does not listen, because a browser has few
  // connections for one server. It hears what it has missed when it is shown.
  const listen = () => {
    clearTimeout(timer);
    events?.close();
    events = undefined;
    if (document.visibilityState === 'hidden') return;
    events = new EventSource(stream);
    events.onmessage = event => hear(JSON.parse(event.data));
    events.onerror = () => {
      events?.close(); // not all browsers try again by themselves
      timer = setTimeout(listen, 1000);
    };
  };
  document.addEventListener('visibilitychange', listen);
  listen();
}
