// The way back to the reports of the last day, on the first page and on that of the saved reports.

import { forgetAllRecent, forgetRecent, recentReports } from "./recent-reports.js";

const section = document.getElementById("recent");
const list = section.querySelector("ul");
const said = document.getElementById("recent-forgotten");
const moment = new Intl.DateTimeFormat(document.documentElement.lang, {
  month: "short", day: "numeric", hour: "numeric", minute: "numeric",
});

function show() {
  const entries = recentReports();
  section.hidden = !entries.length;
  section.querySelector("[data-all]").hidden = entries.length < 2;
  list.replaceChildren(...entries.map(createLine));
}

function createLine({ id, at }) {
  const line = document.getElementById("recent-line").content.cloneNode(true);
  const date = moment.format(at);
  const link = line.querySelector("a"), button = line.querySelector("button");
  link.href = `/analyses/${id}/`;
  link.textContent = link.dataset.words.replace("{date}", date);
  button.setAttribute("aria-label", button.dataset.words.replace("{date}", date));
  button.addEventListener("click", () => forget(() => forgetRecent(id)));
  return line;
}

function forget(action) {
  action();
  show();
  said.textContent = said.dataset.words;
  (list.querySelector("button") ?? document.getElementById("content")).focus();
}

section.querySelector("[data-all]").addEventListener("click", () => forget(forgetAllRecent));

// Also back from a report that was erased meanwhile.
window.addEventListener("pageshow", (event) => { if (event.persisted) show(); });
show();
