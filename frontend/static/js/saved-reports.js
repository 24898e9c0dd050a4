// The reports that the reader saved in this browser. Each is
// { id, date, skin, pred, uncertain, grades, bundle, demo, photo, gone }: skin and pred in the words of the API,
// uncertain where these two are open, since what could decide them was not rated, six grades with null where a sign was
// not rated, a small JPEG or null, and whether the server was found to have it no more.

import { store } from "./database.js";

const run = store("reports", { keyPath: "id" });

// Newest first.
export async function savedReports() {
  const reports = await run("readonly", (reports) => reports.getAll());
  return reports.sort((one, other) => Date.parse(other.date) - Date.parse(one.date));
}

export const findReport = (id) => run("readonly", (reports) => reports.get(id));

export const saveReport = (report) => run("readwrite", (reports) => reports.put(report));

export const forgetReport = (id) => run("readwrite", (reports) => reports.delete(id));

export const forgetAllReports = () => run("readwrite", (reports) => reports.clear());
