// What of the report only a script can work: print it or save it as PDF, and how strong a map lies over the photo.
// The report may come with the last poll.

function offer() {
  for (const tool of document.querySelectorAll("[data-scripted]")) tool.hidden = false;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#print")) window.print();
});
document.addEventListener("input", (event) => {
  if (event.target.id !== "strength") return;
  event.target.closest(".look").style.setProperty("--strength", event.target.value / 100);
});

offer();
document.addEventListener("htmx:afterSwap", offer);
