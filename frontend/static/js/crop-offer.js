// On the page that rejects a photo as too far away or as no close-up of a scalp: the offer to crop it to the skin, where
// it is large and sharp enough to be worth that. It may come with the last poll.

import { measure, refusal } from "./quality.js";
import { drawOnCanvas, GRADED_SIDE } from "./shrink.js";

// As many of the smallest crop frames have to fit beside each other: cut out of a photo that is filled by half a head,
// some 12 cm, one is then 4 cm of skin. Most of those in the middle have to be sharp by themselves.
const FRAMES_ABREAST = 3;

function isWorthCropping(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const side = FRAMES_ABREAST * GRADED_SIDE;
  if (Math.min(width, height) < side) return false;
  const pen = drawOnCanvas(picture, { x: (width - side) / 2, y: (height - side) / 2, side }).getContext("2d");
  const starts = Array.from({ length: FRAMES_ABREAST }, (_none, index) => index * GRADED_SIDE);
  const frames = starts.flatMap((y) => starts.map((x) => pen.getImageData(x, y, GRADED_SIDE, GRADED_SIDE)));
  return frames.filter((frame) => !refusal(measure(frame))).length > frames.length / 2;
}

async function offer() {
  const section = document.getElementById("crop-offer");
  if (!section?.hidden) return;
  const picture = new Image();
  picture.src = section.dataset.photo;
  try {
    await picture.decode();
  } catch {
    return; // The photo has been deleted meanwhile.
  }
  if (!isWorthCropping(picture)) return;
  section.hidden = false;
}

offer();
document.addEventListener("htmx:afterSwap", offer);
