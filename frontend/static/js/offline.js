// The page for no connection loads what was asked for as soon as there is one.

window.addEventListener("online", () => location.reload());
