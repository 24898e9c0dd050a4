// Copies the address of this page, or another one that the element names, to the clipboard. Where the browser does not
// allow that, as on a connection that is not secure, the address is shown to be copied by hand.

function offer() {
  for (const tool of document.querySelectorAll("[data-copy-address]")) tool.hidden = false;
}

async function copy(tool) {
  const said = tool.querySelector("[role=status]"), field = tool.querySelector("input");
  const address = new URL(tool.dataset.copyAddress || location.pathname, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    said.textContent = said.dataset.copied;
  } catch {
    field.value = address;
    field.hidden = false;
    field.focus();
    field.select();
    said.textContent = said.dataset.byHand;
  }
}

document.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-copy-address] button")?.closest("[data-copy-address]");
  if (tool) copy(tool);
});

offer();
document.addEventListener("htmx:afterSwap", offer);
