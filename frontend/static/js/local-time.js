// Puts the reader's own time zone in place of the server's, which the page names. Parts of a page may come later.

const language = document.documentElement.lang;
const formats = {
  time: new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }),
  date: new Intl.DateTimeFormat(language, { dateStyle: "long" }),
};

function localize() {
  for (const time of document.querySelectorAll("time[data-local]")) {
    time.textContent = formats[time.dataset.local].format(new Date(time.dateTime));
  }
}

localize();
document.addEventListener("htmx:afterSwap", localize);
