// When an analysis has been erased, its copy in this browser is deleted too.

import { findReport, forgetReport } from "./saved-reports.js";

const id = location.pathname.match(/^\/analyses\/([0-9a-f-]{36})\//)?.[1];

try {
  if (id && (await findReport(id))) {
    await forgetReport(id);
    document.getElementById("forgotten").hidden = false;
  }
} catch {
  // This browser keeps nothing.
}
