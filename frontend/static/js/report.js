// What of the report only a script can work: print it or save it as PDF, how strong a map lies over the photo, and the way
// from a hair of the spectrum to its sign. The report may come with the last poll.

function offer() {
  for (const tool of document.querySelectorAll("[data-scripted]")) tool.hidden = false;
}

// What an address points to may be in a folded part; not every browser opens that by itself.
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const fold = target && target.closest("details");
  if (!fold || fold.open) return;
  fold.open = true;
  target.scrollIntoView();
}

// The names below the hairs are links. A tap on a hair follows the link below it.
function signBelow(drawing, x) {
  const links = [...drawing.parentElement.querySelectorAll(".hair-names a")];
  return links.find((link) => {
    const { left, right } = link.parentElement.getBoundingClientRect();
    return left <= x && x < right;
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#print")) window.print();
  const drawing = event.target.closest(".strands");
  if (drawing) signBelow(drawing, event.clientX)?.click();
});
addEventListener("hashchange", reveal);
document.addEventListener("input", (event) => {
  if (event.target.id !== "strength") return;
  event.target.closest(".look").style.setProperty("--strength", event.target.value / 100);
});

offer();
reveal();
document.addEventListener("htmx:afterSwap", offer);
