// The waiting page polls through htmx. Here: a screen reader hears the steps and only them, and a lost
// connection is said in words until it is back.

const announcer = document.getElementById("announcer");
const lost = document.getElementById("lost");
let announced = document.querySelector("[data-announce]")?.dataset.announce;

document.addEventListener("htmx:afterSwap", () => {
  const step = document.querySelector("[data-announce]")?.dataset.announce;
  if (step && step !== announced) {
    announced = step;
    announcer.textContent = step;
  }
  // The button that had the focus may be gone with the page's former content.
  if (document.activeElement === document.body) document.querySelector("h1[tabindex]")?.focus();
});

document.addEventListener("htmx:afterRequest", (event) => {
  lost.hidden = Boolean(event.detail.xhr.status && event.detail.xhr.status < 500);
});
window.addEventListener("offline", () => { lost.hidden = false; });
