// Saves a copy of a report in this browser, or removes it. The report may arrive with the last poll.

import { findReport, forgetReport, saveReport } from "./saved-reports.js";

const COPY_MAX_SIDE = 640; // Enough to put two photos side by side.
const COPY_QUALITY = 0.85;

async function buildReport({ id, result, photo }) {
  const [analysis, copy] = await Promise.all([fetchExisting(result).then((answer) => answer.json()), shrinkPhoto(photo)]);
  const { skin, pred, open, findings, bundle, demo } = analysis.result;
  return {
    id, skin, pred, bundle, demo,
    date: analysis.finished_at,
    uncertain: open,
    grades: findings.map(({ abstains, grade }) => (abstains ? null : grade)),
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

async function showOffer() {
  const section = document.getElementById("keep");
  if (!section) return;
  const { id } = section.dataset;
  const said = section.querySelector("[role=status]");

  function show(when) {
    for (const part of section.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== when;
    section.hidden = false;
  }

  async function press(button, action, when) {
    button.disabled = true;
    said.textContent = "";
    try {
      await action();
      show(when);
      said.textContent = said.dataset[when];
      section.querySelector(".row > :not([hidden])").focus();
    } catch {
      said.textContent = said.dataset.failed;
    }
    button.disabled = false;
  }

  for (const button of section.querySelectorAll("button")) {
    button.onclick = () => (button.value === "keep"
      ? press(button, async () => saveReport(await buildReport(section.dataset)), "kept")
      : press(button, () => forgetReport(id), "absent"));
  }
  try {
    show((await findReport(id)) ? "kept" : "absent");
  } catch {
    // This browser keeps nothing, so nothing is offered.
  }
}

showOffer();
document.addEventListener("htmx:afterSwap", showOffer);
