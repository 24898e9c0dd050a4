// A store in this browser's database. Where the browser keeps nothing, in private windows for one, using it fails.

export function store(name, options) {
  let opened;

  const open = () => (opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(`scalpspectra-${name}`, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(name, options);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = asked.onblocked = () => failed(asked.error);
  }));

  // What came of one action on the store, once it is written.
  return async (mode, action) => {
    const change = (await open()).transaction(name, mode);
    const asked = action(change.objectStore(name));
    return new Promise((done, failed) => {
      change.oncomplete = () => done(asked.result);
      change.onabort = change.onerror = () => failed(change.error);
    });
  };
}
