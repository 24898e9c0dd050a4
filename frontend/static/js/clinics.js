// The page of clinics: a map and a list of the same ones, searched and sorted here. Nothing of that is sent anywhere.

import { createCard } from "./clinics/card.js";
import { ClinicMap } from "./clinics/map.js";
import { kilometers } from "./clinics/distance.js";
import { fetchClinics, matches } from "./clinics/clinic-list.js";

const PAGE_SIZE = 30;
const TYPING_MS = 200;

const page = document.getElementById("clinics");
const form = document.getElementById("search");
const list = document.getElementById("list");
const count = document.getElementById("count");
const more = document.getElementById("more");
const near = document.getElementById("near");
const heading = document.getElementById("found");
const fold = document.getElementById("fold");
const canvas = document.getElementById("map");
const trouble = document.getElementById("trouble");
const number = new Intl.NumberFormat(document.documentElement.lang);

let all = [], found = [], shown = PAGE_SIZE, here = null, map = null;

function search() {
  const { q, specialist, booking } = form.elements;
  found = all.filter(matches({ words: q.value, specialist: specialist.checked, booking: booking.checked }));
  shown = PAGE_SIZE;
  map?.show(found);
  showList();
}

// The list is what was found and is in view where the map is open, by name or, where the place of this device is known,
// the nearest first.
function showList() {
  const inView = map && fold.open ? map.inView(found) : [...found];
  if (here) inView.sort((a, b) => a.distance - b.distance);
  count.textContent = countWords(inView.length);
  list.replaceChildren(...inView.slice(0, shown).map((clinic) => {
    const item = document.createElement("li");
    item.append(createCard(clinic));
    return item;
  }));
  more.hidden = inView.length <= shown;
}

function countWords(inView) {
  const { all: several, one, none, view, nearest } = count.dataset;
  if (!found.length) return none;
  const words = fold.open ? view.replace("{view}", number.format(inView)) : found.length === 1 ? one : several;
  const counted = words.replace("{all}", number.format(found.length));
  return here ? `${counted}. ${nearest}` : counted;
}

function toggleMap() {
  if (fold.open && !map) {
    map = new ClinicMap(canvas, () => { shown = PAGE_SIZE; showList(); });
    page.map = map;
    map.show(found);
    if (here) map.go(here);
  }
  shown = PAGE_SIZE;
  showList();
}

let locating = false;

function locate() {
  if (locating) return;
  locating = true;
  trouble.textContent = "";
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    here = { latitude: coords.latitude, longitude: coords.longitude };
    for (const clinic of all) clinic.distance = kilometers(here, clinic);
    locating = false;
    near.setAttribute("aria-pressed", "true");
    map?.go(here);
    shown = PAGE_SIZE;
    showList();
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  }, () => {
    locating = false;
    trouble.textContent = near.dataset.refused;
  }, { maximumAge: 60_000, timeout: 10_000 });
}

function start() {
  for (const tool of document.querySelectorAll("[data-scripted]")) tool.hidden = false;
  for (const tool of document.querySelectorAll("[data-plain]")) tool.hidden = true;
  if (!navigator.geolocation) near.hidden = true;
  let typing = 0;
  form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, TYPING_MS); });
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  more.addEventListener("click", () => {
    const first = shown;
    shown += PAGE_SIZE;
    showList();
    list.children[first]?.querySelector("a")?.focus();
  });
  near.addEventListener("click", locate);
  search();
  fold.addEventListener("toggle", toggleMap);
  // Without a tile server it is a map without pictures, and on a phone it would push the list away.
  fold.open ||= Boolean(canvas.dataset.tiles) && matchMedia("(min-width: 700px)").matches;
  if (fold.open) toggleMap();
  page.dataset.ready = "";
}

// Until the list is there, and if it never comes, the form and the list of the server stay.
try {
  all = await fetchClinics(page.dataset.address);
} catch {
  trouble.textContent = page.dataset.away;
}
if (all.length) start();
