// Brings in the service worker, which shows a page of ours when there is no connection. Late, so that it takes
// nothing from the page that is being read.

if (navigator.serviceWorker) {
  window.addEventListener("load", () => { navigator.serviceWorker.register("/sw.js").catch(() => {}); });
}
