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
const trouble = document.getElementById("trouble");
const number = new Intl.NumberFormat(document.documentElement.lang);

let all = [], found = [], shown = PAGE_SIZE, here = null;

for (const tool of document.querySelectorAll("[data-scripted]")) tool.hidden = false;
for (const tool of document.querySelectorAll("[data-plain]")) tool.hidden = true;
const map = new ClinicMap(document.getElementById("map"), () => { shown = PAGE_SIZE; showList(); });
page.map = map;

function search() {
  const { q, specialist, booking } = form.elements;
  found = all.filter(matches({ words: q.value, specialist: specialist.checked, booking: booking.checked }));
  shown = PAGE_SIZE;
  map.show(found);
  showList();
}

// The list is what the map shows, by name or, where the place of this device is known, the nearest first.
function showList() {
  const inView = map.inView(found);
  if (here) inView.sort((a, b) => a.distance - b.distance);
  count.textContent = count.dataset.words.replace("{view}", number.format(inView.length)).replace("{all}", number.format(found.length));
  list.replaceChildren(...inView.slice(0, shown).map((clinic) => {
    const item = document.createElement("li");
    item.append(createCard(clinic));
    return item;
  }));
  more.hidden = inView.length <= shown;
}

function locate() {
  near.disabled = true;
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    here = { latitude: coords.latitude, longitude: coords.longitude };
    for (const clinic of all) clinic.distance = kilometers(here, clinic);
    near.disabled = false;
    near.setAttribute("aria-pressed", "true");
    map.go(here);
    showList();
  }, () => {
    near.disabled = false;
    trouble.textContent = near.dataset.refused;
  }, { maximumAge: 60_000, timeout: 10_000 });
}

let typing = 0;
form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, TYPING_MS); });
form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
more.addEventListener("click", () => {
  const first = shown;
  shown += PAGE_SIZE;
  showList();
  list.children[first]?.querySelector("a")?.focus();
});
if (!navigator.geolocation) near.hidden = true;
near.addEventListener("click", locate);

try {
  all = await fetchClinics(page.dataset.address);
  search();
  page.dataset.ready = "";
} catch {
  trouble.textContent = page.dataset.away;
}
