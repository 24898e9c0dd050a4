// The reports that this browser keeps because its reader asked for it. Each is
// { id, date, skin, pred, uncertain, grades, bundle, demo, photo, gone }: skin and pred in the words of the API,
// uncertain where these two are open, since what could decide them was not rated, six grades with null where a sign was
// not rated, a small JPEG or null, and whether the server was found to have it no more.

import { store } from "./database.js";

const run = store("reports", { keyPath: "id" });

// Newest first.
export async function kept() {
  const reports = await run("readonly", (reports) => reports.getAll());
  return reports.sort((one, other) => Date.parse(other.date) - Date.parse(one.date));
}

export const find = (id) => run("readonly", (reports) => reports.get(id));

export const keep = (report) => run("readwrite", (reports) => reports.put(report));

export const forget = (id) => run("readwrite", (reports) => reports.delete(id));

export const forgetAll = () => run("readwrite", (reports) => reports.clear());
