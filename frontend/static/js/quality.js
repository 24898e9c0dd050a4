// Exposure and sharpness of a photo: ml/quality.py once more, whose head says what is measured and why. The server
// refuses by these very numbers, so what is said here before sending comes true there.

const LONG_SIDE = 320;
const DARK_LEVEL = 10, BRIGHT_LEVEL = 245, HALF_LEVEL = 0.5;

// Takes an ImageData; gives brightness, dark, bright and contrast of 0 to 1, and sharpness, about 1 when in focus.
export function measure(image) {
  const cells = grid(luma(image), image.width, image.height);
  const all = cells.values, mean = average(all);
  return {
    brightness: mean / 255,
    dark: share(all, (level) => level < DARK_LEVEL),
    bright: share(all, (level) => level > BRIGHT_LEVEL),
    contrast: Math.sqrt(average(all.map((level) => (level - mean) ** 2))) / 255,
    sharpness: (detail(cells, 2) + HALF_LEVEL) / (detail(cells, 8) + HALF_LEVEL),
  };
}

// Why no one could see a scalp in this photo, or null.
export function refusal({ brightness, dark, bright, sharpness }) {
  if (brightness < 0.08 || dark > 0.9) return "too_dark";
  if (brightness > 0.92 || bright > 0.6) return "too_bright";
  return sharpness < 0.38 ? "too_blurred" : null;
}

// (299 R + 587 G + 114 B) / 1000 in the 16-bit fractions that Pillow takes.
function luma({ data }) {
  const levels = new Uint8Array(data.length / 4);
  for (let pixel = 0, at = 0; pixel < levels.length; pixel += 1, at += 4) {
    levels[pixel] = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 0x8000) >> 16;
  }
  return levels;
}

function grid(levels, width, height) {
  const long = Math.max(width, height);
  const [rows, columns] = [height, width].map((side) => Math.max(16, halfToEven((LONG_SIDE * side) / long)));
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const [top, bottom] = reach(row, rows, height);
    for (let column = 0; column < columns; column += 1) {
      const [left, right] = reach(column, columns, width);
      let sum = 0;
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) sum += levels[y * width + x];
      }
      values[row * columns + column] = sum / ((bottom - top) * (right - left));
    }
  }
  return { values, rows, columns };
}

function reach(cell, cells, length) {
  const start = Math.floor((cell * length) / cells);
  return [start, Math.max(start + 1, Math.floor(((cell + 1) * length) / cells))];
}

// As Python rounds: a half goes to the even neighbor.
function halfToEven(number) {
  const up = Math.round(number);
  return up - number === 0.5 && up % 2 ? up - 1 : up;
}

function means(cells, side) {
  const rows = Math.floor(cells.rows / side), columns = Math.floor(cells.columns / side);
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows * side; row += 1) {
    for (let column = 0; column < columns * side; column += 1) {
      values[Math.floor(row / side) * columns + Math.floor(column / side)] += cells.values[row * cells.columns + column];
    }
  }
  return { values: values.map((sum) => sum / side ** 2), rows, columns };
}

// Standard deviation, in levels of luma, of the means of side² cells about those of twice the side.
function detail(cells, side) {
  const near = means(cells, side), wide = means(cells, 2 * side);
  let sum = 0;
  for (let row = 0; row < 2 * wide.rows; row += 1) {
    for (let column = 0; column < 2 * wide.columns; column += 1) {
      const around = wide.values[(row >> 1) * wide.columns + (column >> 1)];
      sum += (near.values[row * near.columns + column] - around) ** 2;
    }
  }
  return Math.sqrt(sum / (4 * wide.rows * wide.columns));
}

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (values, holds) => values.filter(holds).length / values.length;
