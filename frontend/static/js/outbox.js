// The photo and answers of an unfinished upload, in this browser's database, so that a lost connection or a closed page
// loses nothing. At most one, for at most a day. Consent is never stored.
// Where the browser does not allow storage, none of this has an effect.

import { packPhoto, store, unpackPhoto } from "./database.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const KEY = "photo";

const run = store("outbox");

let last = Promise.resolve(); // One after another: what is cleared while it is still being read must not come after.

function inOutbox(action) {
  last = last.then(action).catch(() => undefined);
  return last;
}

// `sent` holds the form's key, the photo as a File, and the answers by name.
export const save = (sent) => inOutbox(async () => {
  const stored = { ...sent, photo: await packPhoto(sent.photo), at: Date.now() };
  await run("readwrite", (outbox) => outbox.put(stored, KEY));
});

export const clear = () => inOutbox(() => run("readwrite", (outbox) => outbox.delete(KEY)));

export async function load() {
  const sent = await inOutbox(() => run("readonly", (outbox) => outbox.get(KEY)));
  if (!sent) return undefined;
  if (Date.now() - sent.at < DAY_MS) return { ...sent, photo: unpackPhoto(sent.photo) };
  return clear();
}
