// The photo of the form: chosen, dropped, pasted, taken or drawn; shown, cropped, judged and made smaller. The form's
// own file field always holds what will be sent, so the form needs to know nothing of all this.

import * as crop from "./crop.js";
import { hideRefusal, offerCamera } from "./camera.js";
import { isPhoto } from "./photo-format.js";
import { showError } from "./validation.js";
import { measure, refusal } from "./quality.js";
import { drawable, drawOnCanvas, GRADED_SIDE, shrink } from "./shrink.js";

const SETTLE_MS = 300;
const CLOSE_SHARE = 0.4; // Of the short side: less than a head, and room to make the frame smaller still.

const field = document.getElementById("photo");
const zone = document.getElementById("zone");
const shown = document.getElementById("shown");
const picture = document.getElementById("preview");
const advice = document.getElementById("advice");
const tooFar = document.getElementById("too-far");
const samples = [...document.querySelectorAll("[name=sample]")];

let original = null; // The File as it came.
let work = Promise.resolve(); // What is being done for it.
let turn = 0; // Whose result still counts.
let soon = 0;

// Put a File into the form, or take it out again with null.
export function take(file, sample = null) {
  clearTimeout(soon);
  soon = 0;
  original = file;
  turn += 1;
  for (const radio of samples) radio.checked = radio === sample;
  document.getElementById("drawn").hidden = !sample;
  tooFar.hidden = true;
  hideRefusal();
  hold(file);
  showError(field, "");
  crop.begin(null);
  shown.hidden = true;
  showAdvice("");
  work = file ? show(file, turn) : Promise.resolve();
}

// Put in a File that was taken from too far away, with a small crop frame to draw around skin.
export async function takeToCrop(file) {
  take(file);
  await ready();
  if (original !== file || picture.hidden) return;
  tooFar.hidden = false;
  crop.open(CLOSE_SHARE);
}

// The photo that the form was to be opened with could not be loaded.
export const sayGone = () => showError(field, field.dataset.gone);

// When what will be sent is in the form.
export async function ready() {
  let last;
  do {
    if (soon) settle();
    last = work;
    await last;
  } while (soon || last !== work);
}

function hold(file) {
  const files = new DataTransfer();
  if (file) files.items.add(file);
  field.files = files.files;
  field.setCustomValidity("");
  field.required = !samples.some((radio) => radio.checked); // The server knows the samples too.
  zone.classList.toggle("full", Boolean(file));
  document.getElementById("file-name").textContent = file?.name ?? "";
}

async function show(file, mine) {
  const known = await isPhoto(file).catch(() => true); // Unreadable now, it may be readable when it is sent.
  if (mine !== turn) return;
  if (!known) {
    refuse(file);
    return;
  }
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.removeAttribute("src");
  if (drawable(file)) {
    picture.src = URL.createObjectURL(file);
    try {
      await picture.decode();
    } catch {
      // HEIC in most browsers, or not a picture at all: it is sent as it is, and the server checks it.
    }
  }
  if (mine !== turn) return;
  shown.hidden = false;
  picture.hidden = !picture.naturalWidth;
  crop.begin(picture.hidden ? null : { width: picture.naturalWidth, height: picture.naturalHeight });
  settle();
}

// A file that is not a photo is not kept, and the form says so until there is another.
function refuse(file) {
  const sentence = field.dataset.notPhoto.replace("{name}", file.name);
  take(null);
  field.setCustomValidity(sentence);
  showError(field, sentence);
}

function settle() {
  clearTimeout(soon);
  soon = 0;
  turn += 1;
  work = prepare(original, crop.chosen(), turn);
}

async function prepare(file, area, mine) {
  let sent = file, said = "unseen";
  try {
    if (picture.naturalWidth) [sent, said] = await createUpload(file, area);
  } catch {
    // Too large for this device to draw: it goes as it is.
  }
  if (mine !== turn) return;
  hold(sent);
  const tooLarge = sent.size > Number(field.dataset.limit) ? field.dataset.tooLarge : "";
  field.setCustomValidity(tooLarge);
  showError(field, tooLarge);
  showAdvice(said);
}

// The File to send, and what there is to say of it.
async function createUpload(file, area) {
  const canvas = drawOnCanvas(picture, area);
  const { width, height } = canvas;
  const seen = refusal(measure(canvas.getContext("2d").getImageData(0, 0, width, height)));
  const said = seen ?? (Math.min(width, height) < GRADED_SIDE ? "small" : "good");
  return [await shrink(file, picture, canvas, area), said];
}

function showAdvice(what) {
  advice.textContent = advice.dataset[what] ?? "";
  advice.classList.toggle("doubt", Boolean(what) && what !== "good");
}

crop.onChange(() => {
  clearTimeout(soon);
  soon = setTimeout(settle, SETTLE_MS);
});

// An empty choice is a chooser that was closed again: what was there stays.
field.addEventListener("change", () => (field.files[0] ? take(field.files[0]) : original && settle()));

const capture = document.getElementById("capture");
capture.addEventListener("change", () => {
  if (capture.files[0]) take(capture.files[0]);
  capture.value = "";
});
document.getElementById("ways").hidden = false;
offerCamera(take);

document.getElementById("remove").addEventListener("click", () => {
  take(null);
  field.focus();
});

for (const radio of samples) {
  radio.addEventListener("change", () => {
    take(null, radio);
    work = fetchSample(radio, turn);
  });
}

async function fetchSample(radio, mine) {
  try {
    const answer = await fetch(radio.dataset.file);
    const file = new File([await answer.blob()], radio.dataset.name, { type: "image/jpeg" });
    if (!answer.ok || mine !== turn) return;
    take(file, radio);
    zone.scrollIntoView({ block: "nearest" });
  } catch {
    // The choice itself is sent, and the server has the picture.
  }
}

function takeFirst(files) {
  if (!files[0]) return;
  take(files[0]);
  zone.scrollIntoView({ block: "nearest" });
}

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

// A file that misses the zone would otherwise replace the page.
document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  zone.classList.add("over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  zone.classList.remove("over");
  takeFirst(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => takeFirst(event.clipboardData?.files ?? []));

if (field.files[0]) take(field.files[0]);
else hold(null);
