// The report's offer to keep a copy of it in this browser, and to remove that again. It may come with the last poll.

import { find, forget, keep } from "./kept.js";

const COPY_SIDE = 640; // Enough to put two photos side by side.
const COPY_QUALITY = 0.85;

async function report({ id, result, photo }) {
  const [told, copy] = await Promise.all([answered(result).then((answer) => answer.json()), copied(photo)]);
  const { skin, pred, open, findings, bundle, demo } = told.result;
  return {
    id, skin, pred, bundle, demo,
    date: told.finished_at,
    uncertain: open,
    grades: findings.map(({ abstains, grade }) => (abstains ? null : grade)),
    photo: copy,
    gone: false,
  };
}

async function answered(address) {
  const answer = await fetch(address);
  if (!answer.ok && answer.status !== 404) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

async function copied(address) {
  const answer = await answered(address);
  if (!answer.ok) return null; // Photos are deleted after a while. The report is worth keeping without one.
  const picture = await createImageBitmap(await answer.blob());
  const share = Math.min(1, COPY_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * share));
  canvas.height = Math.max(1, Math.round(picture.height * share));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/jpeg", COPY_QUALITY); });
}

async function offer() {
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
      ? press(button, async () => keep(await report(section.dataset)), "kept")
      : press(button, () => forget(id), "absent"));
  }
  try {
    show((await find(id)) ? "kept" : "absent");
  } catch {
    // This browser keeps nothing, so nothing is offered.
  }
}

offer();
document.addEventListener("htmx:afterSwap", offer);
