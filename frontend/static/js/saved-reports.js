// The reports that the reader saved in this browser. Each is
// { id, date, skin, pred, uncertain, grades, ranges, bundle, demo, photo, gone, place, note }: skin and pred in the words
// of the API, uncertain where these two are open, since what could decide them was not rated, six grades with null where
// a sign has no single one, the lowest and highest grade of each with null where it is not rated, a small JPEG or null, whether the server was found to have it no more, and what the reader says of it:
// where on the head it is, by a key of the page, and a note.

import { packPhoto, store, unpackPhoto } from "./database.js";

const run = store("reports", { keyPath: "id" });

const unpack = (stored) => stored && { place: "", note: "", ...stored, photo: unpackPhoto(stored.photo) };

// Newest first.
export async function savedReports() {
  const reports = (await run("readonly", (reports) => reports.getAll())).map(unpack);
  return reports.sort((one, other) => Date.parse(other.date) - Date.parse(one.date));
}

export const findReport = async (id) => unpack(await run("readonly", (reports) => reports.get(id)));

export async function saveReport(report) {
  const stored = { ...report, photo: await packPhoto(report.photo) };
  await run("readwrite", (reports) => reports.put(stored));
}

export const forgetReport = (id) => run("readwrite", (reports) => reports.delete(id));

export const forgetAllReports = () => run("readwrite", (reports) => reports.clear());
