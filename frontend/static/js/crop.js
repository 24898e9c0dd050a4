// A square frame over the preview that says which part of the photo is sent: by pointer, by keyboard or by a slider.

import { GRADED_SIDE as MIN_SIDE } from "./shrink.js"; // No smaller frame: the graders would see less than they can.

const INITIAL_SHARE = 0.8; // Of the short side, when the frame comes up.

const frame = document.getElementById("crop");
const stage = document.getElementById("stage");
const tools = document.getElementById("crop-tools");
const toggle = document.getElementById("crop-toggle");
const slider = document.getElementById("crop-size");
const value = document.getElementById("crop-value");

let size = null; // Of the photo, in pixels.
let area = null; // { x, y, side } of the frame, in pixels of the photo; null for the whole of it.
let heard = () => {};

export const chosen = () => area && { ...area };
export const onChange = (listener) => { heard = listener; };

// A new photo, whole: its width and height in pixels, or null where there is none to crop.
export function begin(photo) {
  size = photo && Math.min(photo.width, photo.height) > MIN_SIDE ? photo : null;
  toggle.hidden = !size;
  set(null);
}

function set(wanted) {
  area = wanted && within(wanted);
  frame.hidden = tools.hidden = !area;
  toggle.textContent = area ? toggle.dataset.whole : toggle.dataset.crop;
  if (!area) return;
  const { x, y, side } = area;
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  frame.style.left = percent(x, size.width);
  frame.style.top = percent(y, size.height);
  frame.style.width = percent(side, size.width);
  frame.style.height = percent(side, size.height);
  const words = { side, x: Math.round((100 * x) / size.width), y: Math.round((100 * y) / size.height) };
  value.textContent = value.dataset.words.replace(/\{(\w+)\}/g, (_all, name) => words[name]);
  slider.min = MIN_SIDE;
  slider.max = Math.min(size.width, size.height);
  slider.value = side;
  slider.setAttribute("aria-valuetext", value.textContent);
}

function within({ x, y, side }) {
  const whole = Math.round(Math.min(Math.max(side, MIN_SIDE), size.width, size.height));
  const inside = (start, length) => Math.round(Math.min(Math.max(start, 0), length - whole));
  return { x: inside(x, size.width), y: inside(y, size.height), side: whole };
}

function change(wanted) {
  set(wanted);
  heard();
}

const moved = (right, down) => ({ ...area, x: area.x + right, y: area.y + down });
const sized = (side) => ({ x: area.x + (area.side - side) / 2, y: area.y + (area.side - side) / 2, side });

// Bring up the frame in the middle of the photo, as wide as this share of its short side.
export function open(share = INITIAL_SHARE) {
  if (!size) return;
  const side = share * Math.min(size.width, size.height);
  change({ x: (size.width - side) / 2, y: (size.height - side) / 2, side });
  frame.focus();
}

toggle.addEventListener("click", () => (area ? change(null) : open()));

slider.addEventListener("input", () => change(sized(Number(slider.value))));

frame.addEventListener("keydown", (event) => {
  const step = (event.shiftKey ? 0.1 : 0.02) * Math.max(size.width, size.height);
  const wanted = {
    ArrowLeft: () => moved(-step, 0),
    ArrowRight: () => moved(step, 0),
    ArrowUp: () => moved(0, -step),
    ArrowDown: () => moved(0, step),
    "+": () => sized(area.side * 1.1),
    "=": () => sized(area.side * 1.1), // The same key without Shift.
    "-": () => sized(area.side / 1.1),
  }[event.key];
  if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  change(wanted());
});

// Where the pointer is, in pixels of the photo.
function point(event) {
  const box = stage.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) / box.width) * size.width,
    y: ((event.clientY - box.top) / box.height) * size.height,
  };
}

frame.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  frame.focus({ preventScroll: true });
  frame.setPointerCapture(event.pointerId);
  const begun = { ...area }, from = point(event), corner = event.target.dataset.corner;
  frame.onpointermove = (now) => {
    const to = point(now);
    change(corner ? pulled(begun, corner, to) : { ...begun, x: begun.x + to.x - from.x, y: begun.y + to.y - from.y });
  };
});
for (const end of ["pointerup", "pointercancel"]) {
  frame.addEventListener(end, () => { frame.onpointermove = null; });
}

// A corner pulled to a point, the opposite one held: "nw", "ne", "sw" or "se".
function pulled({ x, y, side }, corner, to) {
  const west = corner.endsWith("w"), north = corner.startsWith("n");
  const held = { x: west ? x + side : x, y: north ? y + side : y };
  const room = Math.min(west ? held.x : size.width - held.x, north ? held.y : size.height - held.y);
  const wanted = Math.max(west ? held.x - to.x : to.x - held.x, north ? held.y - to.y : to.y - held.y);
  const reached = Math.max(MIN_SIDE, Math.min(room, wanted));
  return { x: west ? held.x - reached : held.x, y: north ? held.y - reached : held.y, side: reached };
}

// A tap beside the frame brings it there, for those who can't drag.
stage.addEventListener("click", (event) => {
  if (!area || frame.contains(event.target)) return;
  const { x, y } = point(event);
  change({ x: x - area.side / 2, y: y - area.side / 2, side: area.side });
});
