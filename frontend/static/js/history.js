// The reports that this browser keeps: a list, two photos to compare, each sign over time. What is here was written
// by save-report.js. The server is asked only whether it still has the one report that the reader opens: asked for all
// at once, they would tell it which of its reports belong to one person.

import { realign } from "./compare.js";
import { drawGradeHistory } from "./grade-history-chart.js";
import { forgetAllReports, forgetReport, savedReports, saveReport } from "./saved-reports.js";

const words = JSON.parse(document.getElementById("past").dataset.words);
const language = document.documentElement.lang;
const moment = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const GONE = new Set([404, 410]);

const element = (id) => document.getElementById(id);
const sides = [element("left"), element("right")];
let reports = []; // Newest first.
let pictures = []; // Addresses of the photos that the page shows.

const date = (report, format = moment) => format.format(new Date(report.date));
const joined = (...parts) => parts.filter(Boolean).join(" · ");
const placeName = (report) => words.places[report.place] ?? "";
// What a report says of a sign: the lowest and the highest grade, or null where it is not rated. Reports that were saved
// before there were ranges have single grades.
function range({ grades, ranges }, number) {
  return ranges?.[number] ?? (grades[number] === null ? null : [grades[number], grades[number]]);
}

const mark = (given) => (given ? [...new Set(given)].join("–") : "?");
const gradeWords = (given) => (given ? `${mark(given)} ${words.marks[mark(given)]}` : words.marks["?"]);

function sentence(report) {
  const { skin, pred, uncertain } = report;
  if (words.signs.every((_sign, number) => !range(report, number))) return words.noneRated;
  if (uncertain) return words.open;
  return skin === pred ? words.types[skin] : `${words.types[skin]} · ${words.degrees[pred]}`;
}

function picture(image, report) {
  const address = URL.createObjectURL(report.photo);
  pictures.push(address);
  image.src = address;
  image.alt = words.photoOf.replace("{date}", date(report));
}

function time(report, format) {
  const told = document.createElement("time");
  told.dateTime = report.date;
  told.textContent = date(report, format);
  return told;
}

async function show() {
  try {
    reports = await savedReports();
  } catch {
    element("closed").hidden = false;
    return;
  }
  pictures.forEach(URL.revokeObjectURL);
  pictures = [];
  element("empty").hidden = reports.length > 0;
  element("full").hidden = !reports.length;
  element("demo").hidden = !reports.some((report) => report.demo);
  element("count").textContent = reports.length;
  element("entries").replaceChildren(...reports.map(entry));
  showLabeled();
}

// What changes with the place of a report.
function showLabeled() {
  showPair(reports.filter((report) => report.photo));
  showPlaces();
}

// ── The list ────────────────────────────────────────────────────────────────────────────────────────

function entry(report) {
  const made = element("entry").content.cloneNode(true);
  const find = (selector) => made.querySelector(selector);
  const state = Object.fromEntries(["gone", "away"].map((name) => [name, find(`[data-state=${name}]`)]));
  const open = find("a");
  if (report.photo) picture(find("img"), report);
  find("img").hidden = !report.photo;
  find(".none").hidden = Boolean(report.photo);
  find(".eyebrow").replaceChildren(time(report));
  find("h3").textContent = sentence(report);
  find(".tag").hidden = !report.demo;
  state.gone.hidden = !report.gone;
  state.away.hidden = true;
  open.href = `/analyses/${report.id}/`;
  open.hidden = report.gone;
  open.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const status = await fetchStatus(open.href);
    if (GONE.has(status)) {
      if (!(await changed(() => saveReport({ ...report, gone: true })))) return;
      await show();
      element("entries").children[reports.findIndex(({ id }) => id === report.id)].querySelector("button").focus();
    } else if (status) location.assign(open.href);
    state.away.hidden = Boolean(status);
  });
  find("button").addEventListener("click", () => remove("one", () => forgetReport(report.id)));
  showRemark(find(".remark"), report);
  offerLabel(find(".label"), find(".remark"), report);
  find(".entry").append(drawStrip(report));
  return made;
}

// The six signs in little room.
function drawStrip(report) {
  const strip = element("strip").content.firstElementChild.cloneNode(true);
  strip.setAttribute("aria-label", words.signs.map((sign, number) => `${sign} ${gradeWords(range(report, number))}`).join(", "));
  strip.querySelectorAll("li").forEach((sign, number) => {
    const given = range(report, number);
    sign.className = given ? `k${given[1]}` : "unrated";
    sign.querySelector("b").textContent = mark(given);
  });
  return strip;
}

function showRemark(remark, report) {
  remark.textContent = joined(placeName(report), report.note);
  remark.hidden = !remark.textContent;
}

// Where on the head it is, and a note. `report` is one of `reports`, so the page has it once it is stored.
function offerLabel(label, remark, report) {
  const select = label.querySelector("select"), note = label.querySelector("textarea");
  const said = label.querySelector("[role=status]");
  select.value = report.place;
  note.value = report.note;
  label.addEventListener("change", async () => {
    said.textContent = "";
    const given = { place: select.value, note: note.value.trim() };
    if (!(await changed(() => saveReport({ ...report, ...given })))) return;
    Object.assign(report, given);
    showRemark(remark, report);
    showLabeled();
    said.textContent = said.dataset.saved;
  });
}

// Does something to what is stored; whether it worked.
async function changed(action) {
  try {
    await action();
  } catch {
    element("unchanged").hidden = false;
    element("unchanged").scrollIntoView({ block: "center" });
    return false;
  }
  element("unchanged").hidden = true;
  return true;
}

// The status that the server answers with for an address, or 0 where it does not answer.
async function fetchStatus(address) {
  try {
    return (await fetch(address, { method: "HEAD", cache: "no-store" })).status;
  } catch {
    return 0;
  }
}

async function remove(what, action) {
  const ask = element("ask");
  element("asked").textContent = ask.dataset[what];
  ask.returnValue = "";
  ask.showModal();
  await new Promise((done) => { ask.addEventListener("close", done, { once: true }); });
  if (ask.returnValue !== "yes") return;
  if (!(await changed(action))) return;
  await show();
  element("announcer").textContent = element("announcer").dataset[what];
  element("top").focus();
}

// ── Two photos ──────────────────────────────────────────────────────────────────────────────────────

function showPair(photographed) {
  element("pair").hidden = photographed.length < 2;
  if (photographed.length < 2) return;
  sides.forEach((side, number) => {
    const chosen = side.value;
    side.replaceChildren(
      ...photographed.map((report) => new Option(joined(date(report, short), placeName(report)), report.id)),
    );
    side.value = chosen;
    if (!side.value) side.selectedIndex = number ? 0 : photographed.length - 1; // First the oldest, then the newest.
    showSide(side);
  });
}

function showSide(side) {
  const report = reports.find(({ id }) => id === side.value);
  picture(document.querySelector(`[data-side=${side.id}] img`), report);
  const said = document.createElement("b");
  said.textContent = sentence(report);
  const parts = [time(report), said, joined(placeName(report), report.demo && words.demo)];
  document.querySelector(`[data-caption=${side.id}]`).replaceChildren(...parts);
}

for (const side of sides) {
  side.addEventListener("change", () => {
    showSide(side);
    realign();
  });
}

// ── Over time ───────────────────────────────────────────────────────────────────────────────────────

// Places differ on one head, so where there are reports of several, one can be looked at alone.
function showPlaces() {
  const choice = element("place-shown");
  const shown = choice.options.length ? choice.value : "all";
  const used = [...new Set(reports.map((report) => report.place))];
  element("place-choice").hidden = used.length < 2;
  choice.replaceChildren(
    new Option(words.allPlaces, "all"), ...used.map((key) => new Option(words.places[key] ?? words.noPlace, key)),
  );
  choice.value = used.includes(shown) ? shown : "all";
  showGradeHistory();
}

element("place-shown").addEventListener("change", showGradeHistory);

function showGradeHistory() {
  const shown = element("place-shown").value;
  const past = reports.filter((report) => shown === "all" || report.place === shown).reverse();
  element("grade-history").hidden = reports.length < 2;
  if (reports.length < 2) return;
  const days = new Set(past.map((report) => date(report, day)));
  const format = days.size < past.length ? short : day; // Several on one day are told apart by the time.
  const changes = past.flatMap((report, place) => (place && report.bundle !== past[place - 1].bundle ? [place] : []));
  element("changed").hidden = !changes.length;
  element("lines").replaceChildren(...words.signs.map((sign, place) => {
    const ranges = past.map((report) => range(report, place));
    const line = document.createElement("li"), heading = document.createElement("h3"), span = document.createElement("p");
    heading.textContent = sign;
    span.className = "span";
    span.append(...[past[0], ...past.slice(1).slice(-1)].map((report) => time(report, format)));
    line.append(heading, drawGradeHistory(ranges, changes, ranges.map(gradeWords).join(", ")), span);
    return line;
  }));
  element("rows").replaceChildren(...past.map((report) => {
    const row = document.createElement("tr"), when = document.createElement("th");
    when.scope = "row";
    when.append(joined(date(report, format), placeName(report), report.demo && words.demo));
    row.append(when);
    words.signs.forEach((_sign, number) => { row.insertCell().textContent = gradeWords(range(report, number)); });
    row.insertCell().textContent = report.bundle;
    return row;
  }));
}

// ── As a file, and away ─────────────────────────────────────────────────────────────────────────────

function written(photo) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(photo);
  });
}

element("save").addEventListener("click", async () => {
  const all = reports.map(async (report) => ({ ...report, photo: report.photo && (await written(report.photo)) }));
  const now = new Date().toISOString();
  const file = { service: "ScalpSpectra", saved: now, signs: words.keys, reports: await Promise.all(all) };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
  link.download = `scalpspectra-${now.slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // The browser has taken it by then.
});

element("forget-all").addEventListener("click", () => remove("all", forgetAllReports));

// Also back from a report that was erased or removed meanwhile.
window.addEventListener("pageshow", (event) => { if (event.persisted) show(); });
show();
