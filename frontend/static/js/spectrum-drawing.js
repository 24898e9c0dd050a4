// The scalp spectrum of a kept report. The server drew all hairs of each grade into the page; here a report's six are
// put together from them, so the drawing is the report's own.

const levels = [...document.querySelectorAll("template.level")].map((template) => template.content.firstElementChild);
const UNRATED = levels.length - 1;
const PARTS = [".follicle", ".root", ".hair", ".hair-names li"];

// `grades` are six of 0–3, null where a sign was not rated.
export function drawSpectrum(grades, description) {
  const drawing = levels[0].cloneNode(true);
  for (const part of PARTS) {
    drawing.querySelectorAll(part).forEach((hair, place) => {
      const level = levels[grades[place] ?? UNRATED];
      hair.replaceWith(level.querySelectorAll(part)[place].cloneNode(true));
    });
  }
  drawing.querySelector("svg").setAttribute("aria-label", description);
  return drawing;
}
