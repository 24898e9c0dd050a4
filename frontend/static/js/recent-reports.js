// The addresses of the analyses that were opened in this browser in the last 24 hours, so that a closed tab loses no
// report. Only the addresses: no result, nothing of the photo. Where the browser does not allow storage, none of this
// has an effect.

const KEY = "scalpspectra-recent";
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_REPORTS = 5;

function read() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY)) ?? [];
    return entries.filter(({ at }) => Date.now() - at < DAY_MS);
  } catch {
    return [];
  }
}

function write(entries) {
  try {
    if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
  } catch {
    // It is full or turned off.
  }
}

// Each { id, at }, the last one first; `at` is when it was first opened, right after the photo was sent. What is older than
// a day is deleted on the way.
export function recentReports() {
  const entries = read();
  write(entries);
  return entries;
}

export function rememberReport(id) {
  const entries = read();
  if (!entries.some((entry) => entry.id === id)) write([{ id, at: Date.now() }, ...entries].slice(0, MAX_REPORTS));
}

export function forgetRecent(id) {
  write(read().filter((entry) => entry.id !== id));
}

export const forgetAllRecent = () => write([]);
