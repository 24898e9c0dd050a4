// What the form gains from JavaScript: a preview, sentences beside the fields before anything travels, a
// progress bar, and a word when the connection or the service breaks. Without it, the server says all of the same.

const slot = (field) => document.getElementById(`${field.name}-error`);

function say(field, sentence) {
  slot(field).textContent = sentence;
  field.setAttribute("aria-invalid", sentence ? "true" : "false");
}

function tooLarge(field) {
  const limit = Number(field.dataset.limit);
  return limit && field.files[0]?.size > limit;
}

// In the capture phase, since `invalid` does not bubble. The first of several fields gets the focus.
let focused = false;
document.addEventListener("invalid", (event) => {
  const field = event.target;
  if (!field.dataset.missing) return;
  event.preventDefault();
  say(field, tooLarge(field) ? field.dataset.tooLarge : field.dataset.missing);
  if (!focused) {
    focused = true;
    field.focus();
    requestAnimationFrame(() => { focused = false; });
  }
}, true);

document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.dataset?.missing) return;
  if (field.type === "file") {
    field.setCustomValidity(tooLarge(field) ? field.dataset.tooLarge : "");
    preview(field.files[0]);
  }
  say(field, tooLarge(field) ? field.dataset.tooLarge : "");
});

function preview(file) {
  document.getElementById("file-name").textContent = file?.name ?? "";
  const picture = document.getElementById("preview");
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.hidden = true;
  picture.removeAttribute("src");
  if (!file) return;
  picture.onload = () => { picture.hidden = false; };
  picture.src = URL.createObjectURL(file); // What the browser can't draw, HEIC for one, stays hidden.
}

function upload(shown, share = 0) {
  const bar = document.getElementById("upload");
  bar.hidden = !shown;
  bar.value = share;
}

document.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("notice").hidden = true;
  upload(true);
});
document.addEventListener("htmx:xhr:progress", (event) => {
  if (event.detail.lengthComputable) upload(true, event.detail.loaded / event.detail.total);
});
document.addEventListener("htmx:afterRequest", () => upload(false));

// What is not the form, such as the proxy's page that says that the service restarts, does not take its place.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.serverResponse.includes('class="sheet"')) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
});

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const notice = document.getElementById("notice");
    const status = event.detail.xhr?.status;
    notice.textContent = notice.dataset[status === 403 ? "stranger" : status ? "broken" : "lost"];
    notice.hidden = false;
  });
}

// After the server refused something, the reader is taken to where it says what.
document.addEventListener("htmx:afterSwap", () => {
  const said = [...document.querySelectorAll("#form .notice:not([hidden]), #form .error")].find((e) => e.textContent);
  said?.scrollIntoView({ block: "center" });
});
