// The service worker: caches the built files, whose URLs have their version, and the offline page. Nothing else is
// cached, no messages in particular.

const VERSION = new URL(location.href).search.slice(1);
const STORE = `liao-${VERSION}`;
const OFFLINE = '/offline';
const BUILT = `/pkg/${VERSION}/`;

addEventListener('install', (event) => {
  const wanted = [OFFLINE, `${BUILT}liao.css`];
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(wanted)));
  skipWaiting();
});

addEventListener('activate', (event) => {
  const others = (names) => names.filter((name) => name !== STORE);
  event.waitUntil(caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name)))));
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate') event.respondWith(fetch(request).catch(() => caches.match(OFFLINE, { ignoreVary: true })));
  else if (pathname.startsWith(BUILT)) event.respondWith(built(request));
});

async function built(request) {
  const store = await caches.open(STORE);
  const known = await store.match(request, { ignoreVary: true });
  // Development builds change under the same URL.
  if (known && VERSION !== 'dev') return known;
  const answer = await fetch(request).catch(() => undefined);
  if (answer?.ok) await store.put(request, answer.clone());
  return answer ?? known ?? Response.error();
}
