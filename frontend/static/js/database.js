// A store in this browser's database. Where the browser keeps nothing, has no room or does not answer, using it fails
// with a StorageError, within seconds: no page waits for a database that hangs.

const PATIENCE_MS = 4000;

export class StorageError extends Error {}

export function store(name, options) {
  let opened = null;
  let hangs = false; // It was waited for in vain once, so it is not waited for again until the page is loaded again.

  async function withinPatience(work) {
    if (hangs) throw new StorageError("The database does not answer.");
    let timer;
    const late = new Promise((_done, failed) => {
      timer = setTimeout(() => {
        hangs = true;
        failed(new StorageError("The database does not answer."));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      throw error instanceof StorageError ? error : new StorageError(String(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  const open = () => (opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(`scalpspectra-${name}`, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(name, options);
    asked.onsuccess = () => {
      const database = asked.result;
      // The browser closes it when its data is deleted, and another page may ask for it.
      database.onclose = () => { opened = null; };
      database.onversionchange = () => {
        database.close();
        opened = null;
      };
      done(database);
    };
    asked.onblocked = () => failed(new StorageError("Another page holds the database."));
    asked.onerror = () => failed(asked.error);
  }).catch((error) => {
    opened = null;
    throw error;
  }));

  async function transact(mode, action) {
    const database = await open();
    let change;
    try {
      change = database.transaction(name, mode);
    } catch (error) { // The connection was closed without an event.
      opened = null;
      throw error;
    }
    return new Promise((done, failed) => {
      const asked = action(change.objectStore(name));
      change.oncomplete = () => done(asked.result);
      change.onabort = change.onerror = () => failed(change.error ?? asked.error);
    });
  }

  // What came of one action on the store, once it is written.
  return (mode, action) => withinPatience(transact(mode, action));
}

// ── Photos ──────────────────────────────────────────────────────────────────────────────────────────

// The private windows of Safari refuse to store a Blob or a File and take the same bytes in an ArrayBuffer.
export async function packPhoto(photo) {
  return photo && { bytes: await photo.arrayBuffer(), type: photo.type, name: photo.name ?? "" };
}

// The File again; earlier versions stored Blobs and Files themselves.
export function unpackPhoto(stored) {
  if (!stored || stored instanceof Blob) return stored;
  return new File([stored.bytes], stored.name, { type: stored.type });
}
