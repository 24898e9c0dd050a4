// The report's one button that only a script can work: print, or save as PDF. It may come with the last poll.

function offer() {
  const button = document.getElementById("print");
  if (!button) return;
  button.hidden = false;
  button.onclick = () => window.print();
}

offer();
document.addEventListener("htmx:afterSwap", offer);
