// One sign over time: a dot a report, from the oldest to the newest, on four lines for the four grades. Between two dots
// the line goes by steps; where a sign was not rated it has a gap. A sign between two grades has a bar from one to the
// other, with its dot in the middle.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320, HEIGHT = 128, LEFT = 24, RIGHT = 4, BOTTOM = 112, STEP = 32;
const RADIUS = 6;

const y = (grade) => BOTTOM - grade * STEP;
const middle = ([lowest, highest]) => y((lowest + highest) / 2);

function createShape(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// `ranges` are the lowest and the highest grade, 0–3, or null, oldest first; `changes` are the places before which the
// models changed.
export function drawGradeHistory(ranges, changes, description) {
  const column = (WIDTH - LEFT - RIGHT) / ranges.length;
  const x = (place) => LEFT + (place + 0.5) * column;
  const drawing = createShape("svg", {
    class: "strands grade-history-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": description,
  });
  for (const grade of [0, 1, 2, 3]) {
    drawing.append(
      createShape("path", { class: "grade-line", d: `M${LEFT} ${y(grade)}H${WIDTH - RIGHT}` }),
      createShape("text", { class: "grade-number", x: 4, y: y(grade), dy: 5 }, grade),
    );
  }
  for (const place of changes) {
    drawing.append(createShape("path", { class: "change", d: `M${x(place - 0.5)} 4V${HEIGHT - 4}` }));
  }
  const steps = ranges.slice(1).map((range, place) => (range === null || ranges[place] === null ? ""
    : `M${x(place)} ${middle(ranges[place])}H${x(place + 0.5)}V${middle(range)}H${x(place + 1)}`));
  const bars = ranges.map((range, place) => (range && range[0] !== range[1] ? `M${x(place)} ${y(range[0])}V${y(range[1])}` : ""));
  drawing.append(createShape("path", { class: "way", d: [...steps, ...bars].join("") }));
  ranges.forEach((range, place) => {
    drawing.append(range === null
      ? createShape("text", { class: "grade-number", x: x(place), y: y(1.5), dy: 5, "text-anchor": "middle" }, "?")
      : createShape("circle", { class: `k${range[1]}`, cx: x(place), cy: middle(range), r: Math.min(RADIUS, column / 2) }));
  });
  return drawing;
}
