// Two saved photos side by side or one over the other, moved and sized until both show the same spot alike. What is done
// to them is only shown: nothing of it is stored.

const STEP = 2, FAR_STEP = 10; // Per cent of the frame, for an arrow key alone and with Shift.
const KEY_FACTOR = 1.1;

const compare = document.getElementById("compare");
const border = document.getElementById("border");
const zoom = document.getElementById("zoom"); // Of both.
const match = document.getElementById("match"); // Of the right one besides, since two photos are rarely equally close.
const frames = [...compare.querySelectorAll(".frame")];
const views = [...document.querySelectorAll("[name=view]")];

const shift = { left: { x: 0, y: 0 }, right: { x: 0, y: 0 } }; // Per cent of the frame, before the zoom.

const scale = (side) => (side === "right" ? Number(match.value) : 1);

function draw() {
  const view = views.find((radio) => radio.checked).value;
  compare.dataset.view = view;
  compare.classList.toggle("held", view === "over" || zoom.value > 1);
  compare.style.setProperty("--border", `${border.value}%`);
  border.closest("label").hidden = view !== "over";
  for (const frame of frames) {
    const { side } = frame.dataset;
    const { x, y } = shift[side];
    frame.firstElementChild.style.transform = `scale(${zoom.value}) translate(${x}%, ${y}%) scale(${scale(side)})`;
  }
}

function move(side, right, down) {
  const within = (value) => Math.min(Math.max(value, -60), 60); // So that some of it stays in the frame.
  shift[side] = { x: within(shift[side].x + right), y: within(shift[side].y + down) };
  draw();
}

function resize(side, factor) {
  const slider = side === "right" ? match : zoom;
  slider.value = slider.value * factor;
  draw();
}

// Another photo starts where the former one did not: in the middle, at its own size.
export function realign() {
  for (const side of Object.keys(shift)) shift[side] = { x: 0, y: 0 };
  zoom.value = match.value = 1;
  border.value = 50;
  draw();
}

for (const frame of frames) {
  const { side } = frame.dataset;

  frame.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? FAR_STEP : STEP;
    const action = {
      ArrowLeft: () => move(side, -step, 0),
      ArrowRight: () => move(side, step, 0),
      ArrowUp: () => move(side, 0, -step),
      ArrowDown: () => move(side, 0, step),
      "+": () => resize(side, KEY_FACTOR),
      "=": () => resize(side, KEY_FACTOR), // The same key without Shift.
      "-": () => resize(side, 1 / KEY_FACTOR),
    }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    frame.setPointerCapture(event.pointerId);
    let { clientX: x, clientY: y } = event;
    frame.onpointermove = (now) => {
      const percent = 100 / (frame.clientWidth * zoom.value);
      move(side, (now.clientX - x) * percent, (now.clientY - y) * percent);
      ({ clientX: x, clientY: y } = now);
    };
  });
  for (const end of ["pointerup", "pointercancel"]) {
    frame.addEventListener(end, () => { frame.onpointermove = null; });
  }
}

for (const control of [border, zoom, match, ...views]) control.addEventListener("input", draw);
document.getElementById("realign").addEventListener("click", realign);
realign();
