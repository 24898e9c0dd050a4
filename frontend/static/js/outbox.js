// What is on its way and has not arrived: the photo with its answers, in this browser's database, so that a lost
// connection or a closed page loses nothing. One at most, for a day at most. Consent is never kept.
// Where the browser keeps nothing, all of it does nothing.

import { store } from "./database.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const KEY = "photo";

const inOutbox = store("outbox");
const ignoreErrors = (mode, action) => inOutbox(mode, action).catch(() => undefined);

// `sent` holds the form's key, the photo as a File, and the answers by name.
export const save = (sent) => ignoreErrors("readwrite", (outbox) => outbox.put({ ...sent, at: Date.now() }, KEY));

export const clear = () => ignoreErrors("readwrite", (outbox) => outbox.delete(KEY));

export async function load() {
  const sent = await ignoreErrors("readonly", (outbox) => outbox.get(KEY));
  if (!sent || Date.now() - sent.at < DAY_MS) return sent;
  return clear();
}
