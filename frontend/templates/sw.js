// The service worker shows the offline page when a page can't be fetched, or the page of the saved reports, which a
// script fills from the browser's own database. It caches these two and their files and nothing else: no results, no
// addresses of analyses. Posts and requests by scripts pass through untouched.

const CACHE = "offline-{{ version }}";
const PAGE = "{{ offline }}";
const HISTORY = "{{ history }}";
const SHELL = `${HISTORY}?shell`; // The page without the choice of language, which has a form.
const FILES = {{ files|safe }};

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([PAGE, SHELL, ...FILES])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.registration.navigationPreload?.enable(); // A page need not wait until this worker is awake.
    await self.clients.claim();
  })());
});

async function fetchOrCached(event, cached) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(cached)) ?? Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  if (method !== "GET") return;
  const { pathname } = new URL(url);
  if (mode === "navigate") event.respondWith(fetchOrCached(event, pathname === HISTORY ? SHELL : PAGE));
  else if (FILES.includes(pathname)) event.respondWith(fetchOrCached(event, pathname));
});
