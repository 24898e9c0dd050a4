// When an analysis is not there any more, this browser forgets its address; when it was erased, its copy is deleted too.

import { forgetRecent } from "./recent-reports.js";
import { findReport, forgetReport } from "./saved-reports.js";

const id = location.pathname.match(/^\/analyses\/([0-9a-f-]{36})\//)?.[1];
const forgotten = document.getElementById("forgotten");

if (id) forgetRecent(id);
try {
  if (id && forgotten && (await findReport(id))) {
    await forgetReport(id);
    forgotten.hidden = false;
  }
} catch {
  // This browser keeps nothing.
}
