// Error messages beside the fields before anything is sent. Without JavaScript, the server gives the same ones.

const slot = (field) => document.getElementById(`${field.name}-error`);

export function showError(field, sentence) {
  slot(field).textContent = sentence;
  field.setAttribute("aria-invalid", sentence ? "true" : "false");
}

// In the capture phase, since `invalid` does not bubble. The first of several fields gets the focus.
let focused = false;
document.addEventListener("invalid", (event) => {
  const field = event.target;
  if (!field.dataset.missing) return;
  event.preventDefault();
  showError(field, field.validity.customError ? field.validationMessage : field.dataset.missing);
  if (!focused) {
    focused = true;
    field.focus({ preventScroll: true });
    slot(field).scrollIntoView({ block: "center" });
    requestAnimationFrame(() => { focused = false; });
  }
}, true);

// Choose these answers, by name, as far as the form knows them.
export function chooseAnswers(form, answers) {
  for (const [name, value] of Object.entries(answers)) {
    const choice = [...form.elements[name]].find((radio) => radio.value === value);
    if (choice) choice.checked = true;
  }
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.dataset?.missing && field.type !== "file") showError(field, "");
});
