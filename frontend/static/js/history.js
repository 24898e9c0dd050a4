// The reports that this browser keeps: a list, two photos side by side, each sign over time. What is here was written
// by save-report.js. The server is asked only whether it still has the one report that the reader opens: asked for all
// at once, they would tell it which of its reports belong to one person.

import { drawGradeHistory } from "./grade-history-chart.js";
import { forgetAllReports, forgetReport, savedReports, saveReport } from "./saved-reports.js";
import { drawSpectrum } from "./spectrum-drawing.js";

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
const grade = (given) => (given === null ? words.unrated : `${given} ${words.grades[given]}`);

function sentence({ skin, pred, grades, uncertain }) {
  if (grades.every((given) => given === null)) return words.noneRated;
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
  showPair(reports.filter((report) => report.photo));
  showGradeHistory([...reports].reverse());
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
      await saveReport({ ...report, gone: true });
      await show();
      element("entries").children[reports.findIndex(({ id }) => id === report.id)].querySelector("button").focus();
    } else if (status) location.assign(open.href);
    state.away.hidden = Boolean(status);
  });
  find("button").addEventListener("click", () => remove("one", () => forgetReport(report.id)));
  const told = words.signs.map((sign, place) => `${sign} ${grade(report.grades[place])}`).join(", ");
  find(".entry").append(drawSpectrum(report.grades, told));
  return made;
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
  await action();
  await show();
  element("announcer").textContent = element("announcer").dataset[what];
  element("top").focus();
}

// ── Side by side ────────────────────────────────────────────────────────────────────────────────────

function showPair(photographed) {
  element("pair").hidden = photographed.length < 2;
  if (photographed.length < 2) return;
  sides.forEach((side, place) => {
    const chosen = side.value;
    side.replaceChildren(...photographed.map((report) => new Option(date(report, short), report.id)));
    side.value = chosen;
    if (!side.value) side.selectedIndex = place ? 0 : photographed.length - 1; // First the oldest, then the newest.
    showSide(side);
  });
}

function showSide(side) {
  const report = reports.find(({ id }) => id === side.value);
  const figure = side.parentElement.querySelector("figure");
  picture(figure.querySelector("img"), report);
  const said = document.createElement("b");
  said.textContent = sentence(report);
  figure.querySelector("figcaption").replaceChildren(time(report), said, ...(report.demo ? [words.demo] : []));
}

for (const side of sides) side.addEventListener("change", () => showSide(side));

// ── Over time ───────────────────────────────────────────────────────────────────────────────────────

function showGradeHistory(past) {
  element("grade-history").hidden = past.length < 2;
  if (past.length < 2) return;
  const changes = past.flatMap((report, place) => (place && report.bundle !== past[place - 1].bundle ? [place] : []));
  element("changed").hidden = !changes.length;
  element("lines").replaceChildren(...words.signs.map((sign, place) => {
    const grades = past.map((report) => report.grades[place]);
    const line = document.createElement("li"), heading = document.createElement("h3"), span = document.createElement("p");
    heading.textContent = sign;
    span.className = "span";
    span.append(time(past[0], day), time(past.at(-1), day));
    line.append(heading, drawGradeHistory(grades, changes, grades.map(grade).join(", ")), span);
    return line;
  }));
  element("rows").replaceChildren(...past.map((report) => {
    const row = document.createElement("tr"), when = document.createElement("th");
    when.scope = "row";
    when.append(time(report, day), ...(report.demo ? [` ${words.demo}`] : []));
    row.append(when);
    for (const given of report.grades) row.insertCell().textContent = grade(given);
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
