// One clinic in a list or above its marker: a copy of the page's template, filled in.

import { distanceWords } from "./distance.js";
import { romanize } from "./romanization.js";

const template = document.getElementById("clinic");

const routes = {
  kakao: ({ name, latitude, longitude }) => `https://map.kakao.com/link/to/${encodeURIComponent(name.replaceAll(",", " "))},${latitude},${longitude}`,
  naver: ({ name, latitude, longitude }) => `https://map.naver.com/index.nhn?menu=route&elng=${longitude}&elat=${latitude}&etext=${encodeURIComponent(name)}`,
  google: ({ latitude, longitude }) => `https://www.google.com/maps/dir/?api=1&destination=${latitude},${longitude}`,
};

const capitalize = (name) => name.replaceAll(/(^|\s)[a-z]/g, (start) => start.toUpperCase());

export function createCard(clinic) {
  const made = template.content.cloneNode(true).firstElementChild;
  const find = (name) => made.querySelector(`[data-part=${name}]`);
  const name = find("name");
  name.textContent = clinic.name;
  name.href = made.dataset.address.replace("/0/", `/${clinic.id}/`);
  if (document.documentElement.lang === "ko") find("romanized").remove();
  else find("romanized").textContent = capitalize(romanize(clinic.name));
  find("address").textContent = clinic.address || clinic.district;
  const distance = find("distance");
  if (clinic.distance === undefined) distance.remove();
  else distance.textContent = distanceWords(clinic.distance);
  if (!clinic.specialists) find("specialist").remove();
  if (!clinic.sample) find("sample").remove();
  const booking = find("booking");
  if (clinic.booking) booking.href = name.href;
  else booking.remove();
  const phone = find("phone");
  if (clinic.phone) phone.href = `tel:${clinic.phone}`;
  else phone.remove();
  for (const [service, address] of Object.entries(routes)) find(service).href = address(clinic);
  return made;
}
