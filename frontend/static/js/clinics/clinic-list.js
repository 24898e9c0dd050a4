// All clinics as the browser knows them. They are fetched at once, so that what is searched and where from stays here.

import { romanize } from "./romanization.js";

export async function fetchClinics(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The list answered ${answer.status}.`);
  const { columns, clinics } = await answer.json();
  return clinics.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
}

// As in backend/clinics/search_text.py: any Unicode form, width and case, without blanks.
const normalize = (text) => text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, "");
const normalizeLatin = (text) => normalize(text).replaceAll(/[-'’]/g, "");
const LATIN = /[a-z]/;

// Whether each of the words is in name, district or address, also in Latin letters, and nothing else that is asked for
// is missing.
export function matches({ words, specialist, booking }) {
  const wanted = words.split(/\s+/).filter(Boolean).map((word) => ({ text: normalize(word), latin: normalizeLatin(word) }));
  return (clinic) => {
    if (specialist && !clinic.specialists) return false;
    if (booking && !clinic.booking) return false;
    if (!wanted.length) return true;
    const all = `${clinic.name} ${clinic.district} ${clinic.address}`;
    clinic.text ??= normalize(all);
    return wanted.every(({ text, latin }) => {
      if (clinic.text.includes(text)) return true;
      if (!LATIN.test(latin)) return false;
      clinic.latin ??= [false, true].map((spelled) => normalizeLatin(romanize(all, { spelled }))).join(" ");
      return clinic.latin.includes(latin);
    });
  };
}
