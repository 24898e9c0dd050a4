// The photo and answers of an unfinished upload, in this browser's database, so that a lost connection or a closed page
// loses nothing. At most one, for at most a day. Consent is never stored.
// Where the browser does not allow storage, none of this has an effect.

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
