// The upload: its progress, a notice when the connection or the service fails, and automatic retries with the same
// idempotency key, so that each photo is analyzed once no matter how often it is sent. All of it is said at the button.

import { chooseAnswers } from "./validation.js";
import * as outbox from "./outbox.js";
import * as photo from "./photo.js";

const ANSWERS = ["sex", "age", "device"];
const RETRY_DELAYS_MS = [2_000, 5_000, 10_000, 30_000]; // Between tries, for connections that come back without an event.
const REFUSED_STATUSES = new Set([413, 415, 422]); // The photo arrived and was answered.
const OUTLOOK_MS = 5 * 60_000; // After that, what the page says about the waiting time may be wrong.

let busy = false; // From the press of the button until the request is out, and while the page is being left.
let tries = 0; // By itself since the connection was lost; 0 while it holds.
let next = 0;

const form = () => document.querySelector("form.sheet");

function showNotice(what) {
  const said = document.getElementById("notice");
  const words = what ? said.dataset[what] : "";
  document.getElementById("kept").hidden = !["lost", "unsent"].includes(what);
  if (said.textContent === words) return; // Said once, not at every try.
  said.textContent = words;
  said.hidden = !what;
  if (what) showToReader(said);
}

// Scroll to a message, and put the focus there or on its field unless the reader is at something else.
function showToReader(said, field = said) {
  said.scrollIntoView({ block: "center" });
  const { activeElement: active, body } = document;
  if (active === body || active.closest(".sending")) field.focus({ preventScroll: true });
}

// A number on the button, from 0 to 1; null where nothing is being sent.
function showProgress(share) {
  const bar = document.getElementById("upload");
  const button = document.querySelector(".send");
  button.dataset.idle ??= button.textContent;
  const percent = Math.floor(100 * share);
  button.textContent = share === null ? button.dataset.idle
    : share < 1 ? button.dataset.sending.replace("{percent}", percent) : button.dataset.sent;
  bar.hidden = share === null;
  bar.value = share ?? 0;
  document.getElementById("outlook").hidden = share !== null || outdated;
}

let outdated = false;
setTimeout(() => {
  outdated = true;
  document.getElementById("outlook").hidden = true;
}, OUTLOOK_MS);

document.addEventListener("htmx:confirm", async (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  await photo.ready();
  busy = false;
  if (!form().reportValidity()) return; // Only now is it known how large the photo is.
  saveToOutbox();
  event.detail.issueRequest();
});

function saveToOutbox() {
  const given = new FormData(form());
  if (!given.get("photo")?.size) return;
  const answers = Object.fromEntries(ANSWERS.map((name) => [name, given.get(name)]));
  outbox.save({ key: given.get("key"), photo: given.get("photo"), answers });
}

document.addEventListener("htmx:beforeRequest", () => {
  if (!tries) showNotice("");
  showProgress(0);
});
document.addEventListener("htmx:xhr:progress", (event) => {
  if (event.detail.lengthComputable) showProgress(event.detail.loaded / event.detail.total);
});
document.addEventListener("htmx:afterRequest", () => { if (!busy) showProgress(null); });

document.addEventListener("htmx:beforeOnLoad", async (event) => {
  const { xhr } = event.detail;
  resetRetries();
  const address = xhr.getResponseHeader("HX-Redirect");
  if (REFUSED_STATUSES.has(xhr.status)) outbox.clear();
  if (!address) return;
  event.preventDefault(); // Leaving the page would cut off what follows.
  event.detail.keepIndicators = true;
  busy = true;
  await outbox.clear();
  location.assign(address);
});

// What is not the form, such as the proxy's page that says that the service restarts, does not take its place.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.serverResponse.includes('class="sheet"')) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
});
document.addEventListener("htmx:responseError", (event) => {
  showNotice(event.detail.xhr.status === 403 ? "stranger" : "broken");
});

// After the server refused something, the reader is taken to where it says what.
document.addEventListener("htmx:afterSwap", () => {
  const said = [...document.querySelectorAll("#form .error, #notice:not([hidden])")].find((e) => e.textContent);
  if (!said) return;
  showToReader(said, document.querySelector(`#form [name=${said.id.replace(/-error$/, "")}]`) ?? said);
});

// ── A lost connection ───────────────────────────────────────────────────────────────────────────────

function retryLater() {
  showNotice("lost");
  next = setTimeout(retry, RETRY_DELAYS_MS[Math.min(tries, RETRY_DELAYS_MS.length - 1)]);
  tries += 1;
}

function resetRetries() {
  clearTimeout(next);
  tries = 0;
}

function cancelRetries() {
  resetRetries();
  form().dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: { elt: form() } }));
  showNotice("");
}

function retry() {
  clearTimeout(next);
  if (tries && !busy) form().requestSubmit();
}

document.addEventListener("htmx:sendError", retryLater);
document.addEventListener("htmx:timeout", retryLater);
window.addEventListener("online", retry);

// Someone who changes an answer meanwhile has not yet agreed to send the new one.
document.addEventListener("change", (event) => {
  if (tries && form().contains(event.target)) cancelRetries();
});

document.addEventListener("click", (event) => {
  if (event.target.id !== "discard") return;
  cancelRetries();
  outbox.clear();
  form().reset();
  photo.take(null);
});

async function resumeUnsent() {
  const sent = await outbox.load();
  const given = form();
  if (!sent || given.elements.photo.files.length) return;
  given.elements.key.value = sent.key;
  chooseAnswers(given, sent.answers);
  photo.take(sent.photo);
  showNotice("unsent");
}

// From the page that refused a photo as taken from too far away: the same photo and answers once more, to be cropped.
// The id stands behind the #, so no server is sent it with the address of this page.
async function loadRefusedPhoto(analysis) {
  document.getElementById("form").scrollIntoView();
  const [stored, picture] = await Promise.all(
    [`/api/v1/analyses/${analysis}/export/`, `/analyses/${analysis}/photo/`].map((address) => fetch(address)),
  );
  if (!stored.ok || !picture.ok) throw new Error("The photo or the analysis is gone.");
  const [{ analysis: { sex, age, device } }, jpeg] = await Promise.all([stored.json(), picture.blob()]);
  if (form().elements.photo.files.length) return;
  chooseAnswers(form(), { sex, age, device });
  await photo.takeToCrop(new File([jpeg], "photo.jpg", { type: "image/jpeg" }));
}

const refused = location.hash.match(/^#crop=([0-9a-f-]{36})$/)?.[1];
if (refused) loadRefusedPhoto(refused).catch(() => { photo.sayGone(); return resumeUnsent(); });
else resumeUnsent();

// Back from the report to a page that the browser still had: it is done with.
window.addEventListener("pageshow", (event) => { if (event.persisted && busy) location.reload(); });
