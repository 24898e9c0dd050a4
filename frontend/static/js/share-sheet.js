// Opens the device's own share sheet for the link to a report, where the browser has one.

function offer() {
  if (!navigator.share) return;
  for (const tool of document.querySelectorAll("[data-share-link]")) tool.hidden = false;
}

document.addEventListener("click", async (event) => {
  const tool = event.target.closest("[data-share-link]");
  if (!tool) return;
  try {
    await navigator.share({ title: tool.dataset.title, url: new URL(tool.dataset.shareLink, location.href).href });
  } catch (error) {
    if (error.name !== "AbortError") throw error; // The reader closed the sheet.
  }
});

offer();
document.addEventListener("htmx:afterSwap", offer);
