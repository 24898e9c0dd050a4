// Remembers the address of this analysis for a day, for the way back from the first page.

import { rememberReport } from "./recent-reports.js";

const id = location.pathname.match(/^\/analyses\/([0-9a-f-]{36})\/$/)?.[1];
if (id) rememberReport(id);
