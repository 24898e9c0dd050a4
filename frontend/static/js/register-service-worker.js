// Registers the service worker, which shows the offline page when there is no connection. After `load`, so that it
// does not slow down the page.

if (navigator.serviceWorker) {
  window.addEventListener("load", () => { navigator.serviceWorker.register("/sw.js").catch(() => {}); });
}
