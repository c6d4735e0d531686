{% load i18n %}{% comment %}Served beside the list of sheets, and so for all pages of the app: a worker is asked only about what lies below it.{% endcomment %}
/** Shows the offline page where a visit finds no server. Keeps nothing else, and has no part in anything else. */

const CACHE = "sheetsync-offline-{{ version }}"; // the version is the page's own: another page is another worker
const PAGE = "{% url 'cells:offline' %}";

addEventListener("install", (event) => {
  event.waitUntil(keep());
});

addEventListener("activate", (event) => {
  event.waitUntil(takeOver());
});

addEventListener("fetch", (event) => {
  // A form that was sent off is the browser's to tell of: this page could not send it again.
  if (event.request.mode === "navigate" && event.request.method === "GET") event.respondWith(visit(event));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(PAGE, { cache: "reload" }));
  await skipWaiting();
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("sheetsync-offline-") && name !== CACHE).map((name) => caches.delete(name)));
  // The page is asked for while this worker is woken up, not after it.
  await registration.navigationPreload?.enable();
  await clients.claim();
}

async function visit(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch (error) {
    const kept = await caches.match(PAGE, { cacheName: CACHE });
    if (!kept) throw error;
    return kept;
  }
}
