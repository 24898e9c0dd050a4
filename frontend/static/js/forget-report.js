// When an analysis is not there any more, this browser forgets its address; when it was erased, its copy is deleted too.

import { forgetRecent } from "./recent-reports.js";
import { findReport, forgetReport } from "./saved-reports.js";

const [, id, rest] = location.pathname.match(/^\/analyses\/([0-9a-f-]{36})\/(.*)$/) ?? [];
const forgotten = document.getElementById("forgotten");

// Below its address, only the photo may be gone.
if (id && !rest) forgetRecent(id);
try {
  if (id && forgotten && (await findReport(id))) {
    await forgetReport(id);
    forgotten.hidden = false;
  }
} catch {
  // This browser keeps nothing.
}
