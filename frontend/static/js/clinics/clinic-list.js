// All clinics as the browser knows them. They are fetched at once, so that what is searched and where from stays here.

export async function fetchClinics(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The list answered ${answer.status}.`);
  const { columns, clinics } = await answer.json();
  return clinics.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
}

const plain = (text) => text.toLowerCase().replaceAll(/\s+/g, "");

// Whether each of the words is in name, district or address, and nothing else that is asked for is missing.
export function matches({ words, specialist, booking }) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return (clinic) => {
    if (specialist && !clinic.specialists) return false;
    if (booking && !clinic.booking) return false;
    if (!wanted.length) return true;
    clinic.text ??= plain(`${clinic.name} ${clinic.district} ${clinic.address}`);
    return wanted.every((word) => clinic.text.includes(word));
  };
}
