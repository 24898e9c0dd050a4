// What every page does: registers the service worker, which shows the offline page when there is no connection, and drops
// the addresses that this browser remembers for a day and no longer.

import { recentReports } from "./recent-reports.js";

recentReports();
if (navigator.serviceWorker) {
  // After `load`, so that it does not slow down the page.
  window.addEventListener("load", () => { navigator.serviceWorker.register("/sw.js").catch(() => {}); });
}
