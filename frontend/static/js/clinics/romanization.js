// Korean in Latin letters by the Revised Romanization, as in backend/clinics/romanization.py.

const FIRST = 0xac00, LAST = 0xd7a3, VOWELS = 21, FINALS = 28;
const INITIAL_LETTERS = "g kk n d tt r m b pp s ss  j jj ch k t p h".split(" ");
const VOWEL_LETTERS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split(" ");
const FINAL_LETTERS = " k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split(" ");
const LINKED_LETTERS = " g kk ks n nj n d r lg lm lb ls lt lp r m b ps s ss ng j ch k t p ".split(" ");
const SILENT = INITIAL_LETTERS.indexOf("");
const ASSIMILATED = {
  "k n": "ngn", "k m": "ngm", "k r": "ngn", "t n": "nn", "t m": "nm", "t r": "nn", "p n": "mn", "p m": "mm", "p r": "mn",
  "n r": "ll", "l n": "ll", "l r": "ll", "m r": "mn", "ng r": "ngn",
};

// The consonants between two vowels.
function join(final, initial, spelled) {
  const before = FINAL_LETTERS[final], after = INITIAL_LETTERS[initial];
  if (spelled || !final) return before + after;
  if (initial === SILENT) return LINKED_LETTERS[final];
  return ASSIMILATED[`${before} ${after}`] ?? before + after;
}

// As it is pronounced or, `spelled`, syllable by syllable.
export function romanize(text, { spelled = false } = {}) {
  let letters = "", final = 0;
  for (const character of text.normalize("NFC")) {
    const place = character.codePointAt(0) - FIRST;
    if (place < 0 || place > LAST - FIRST) {
      letters += FINAL_LETTERS[final] + character;
      final = 0;
      continue;
    }
    letters += join(final, Math.floor(place / (VOWELS * FINALS)), spelled) + VOWEL_LETTERS[Math.floor(place / FINALS) % VOWELS];
    final = place % FINALS;
  }
  return letters + FINAL_LETTERS[final];
}
