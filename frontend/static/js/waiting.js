// The waiting page polls through htmx. This script announces each step to screen readers, polls less often while the
// page is hidden, and shows a notice while the connection or the service is down.

const HIDDEN_MS = 30_000; // Between two polls of a hidden page: its title still tells how far it is.

const announcer = document.getElementById("announcer");
const trouble = document.getElementById("trouble");
let announced = document.querySelector("[data-announce]")?.dataset.announce;
let polled = Date.now();

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && Date.now() - polled < HIDDEN_MS) event.preventDefault();
  else polled = Date.now();
});

document.addEventListener("htmx:afterSwap", () => {
  const step = document.querySelector("[data-announce]")?.dataset.announce;
  if (step && step !== announced) {
    announced = step;
    announcer.textContent = step;
  }
  // The button that had the focus may be gone with the page's former content.
  if (document.activeElement === document.body) document.querySelector("h1[tabindex]")?.focus();
});

function showTrouble(what) {
  const words = what ? trouble.dataset[what] : "";
  if (trouble.textContent !== words) trouble.textContent = words; // Said once, not at every poll.
  trouble.hidden = !what;
}

document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr.status;
  showTrouble(!status ? "lost" : status >= 500 ? "away" : "");
});
window.addEventListener("offline", () => showTrouble("lost"));
