// Saves a copy of a report in this browser, or removes it. A page may offer it in several places, each an element with
// data-keep. The report may arrive with the last poll; a reader who waits for it can have it saved when it comes.

import { StorageError } from "./database.js";
import { findReport, forgetReport, saveReport } from "./saved-reports.js";

const COPY_MAX_SIDE = 640; // Enough to put two photos side by side.
const COPY_QUALITY = 0.85;

async function buildReport({ id, result, photo }) {
  const [analysis, copy] = await Promise.all([fetchExisting(result).then((answer) => answer.json()), shrinkPhoto(photo)]);
  const { skin, pred, open, findings, judgment, bundle, demo } = analysis.result;
  return {
    id, skin, pred, bundle, demo,
    date: analysis.finished_at,
    uncertain: open,
    grades: findings.map(({ abstains, grade }) => (abstains ? null : grade)),
    ranges: judgment.signs.map(({ lowest, highest }) => (lowest === null ? null : [lowest, highest])),
    photo: copy,
    gone: false,
  };
}

async function fetchExisting(address) {
  const answer = await fetch(address);
  if (!answer.ok && answer.status !== 404) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

async function shrinkPhoto(address) {
  const answer = await fetchExisting(address);
  if (!answer.ok) return null; // Photos are deleted after a while. The report is worth keeping without one.
  const picture = await createImageBitmap(await answer.blob());
  const share = Math.min(1, COPY_MAX_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * share));
  canvas.height = Math.max(1, Math.round(picture.height * share));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/jpeg", COPY_QUALITY); });
}

const offers = () => [...document.querySelectorAll("[data-keep]")];

function show(when) {
  for (const offer of offers()) {
    for (const part of offer.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== when;
    offer.hidden = false;
  }
}

// Does it for all places that offer it, and says how it went in the one that was used.
async function run(offer, value) {
  const said = offer.querySelector("[role=status]");
  const when = value === "keep" ? "kept" : "absent";
  for (const each of offers()) each.querySelector("[role=status]").textContent = "";
  try {
    await (value === "keep" ? saveReport(await buildReport(offer.dataset)) : forgetReport(offer.dataset.id));
    show(when);
    said.textContent = said.dataset[when];
    return true;
  } catch (error) {
    said.textContent = error instanceof StorageError ? said.dataset.unsaved : said.dataset.failed;
    return false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-keep] button");
  if (!button) return;
  const offer = button.closest("[data-keep]");
  button.disabled = true;
  const done = await run(offer, button.value);
  button.disabled = false;
  (done ? offer.querySelector("[data-when]:is(a, button):not([hidden])") : button)?.focus();
});

async function showOffers() {
  const [offer] = offers();
  if (!offer) return;
  try {
    show((await findReport(offer.dataset.id)) ? "kept" : "absent");
  } catch {
    show("closed");
    return;
  }
  if (wish.take(offer.dataset.id)) await run(offer, "keep");
}

// ── While it is not there yet ───────────────────────────────────────────────────────────────────────

// For this tab alone, and for as long as it is open.
const wish = {
  key: (id) => `scalpspectra-save-${id}`,
  holds(id) {
    try {
      return sessionStorage.getItem(this.key(id)) === "yes";
    } catch {
      return false;
    }
  },
  set(id, wanted) {
    try {
      if (wanted) sessionStorage.setItem(this.key(id), "yes");
      else sessionStorage.removeItem(this.key(id));
    } catch {
      // The box stays ticked, and the report is saved unless the page is loaded again.
    }
  },
  take(id) {
    const held = this.holds(id) || ticked;
    this.set(id, false);
    ticked = false;
    return held;
  },
};
let ticked = false;

function showWish() {
  const box = document.querySelector("[data-save-when-ready]");
  if (!box) return;
  const { saveWhenReady: id } = box.dataset;
  box.checked = ticked || wish.holds(id);
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    ticked = box.checked;
    wish.set(id, ticked);
  });
}

showWish();
showOffers();
document.addEventListener("htmx:afterSwap", showOffers);
