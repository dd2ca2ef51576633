// A plain hint while someone types. It never blocks: an answer in own words is an answer too, so
// anything with a blank in an e-mail field or with letters in a phone field is left alone.

export const LONGEST_TEXT = 4000;

const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;

export function hintFor(type, text) {
  const value = text.trim();
  if (type === "email" && value.length > 3 && !/\s/.test(value)) {
    return EMAIL.test(value) ? "looksRight" : "hintEmail";
  }
  if (type === "phone" && /^[\d\s()+./-]+$/.test(value)) {
    const digits = value.replace(/\D/g, "").length;
    if (digits > 15) return "hintPhoneLong";
    if (digits > 2) return digits < 7 ? "hintPhone" : "looksRight";
  }
  return null;
}

// The server counts characters, not UTF-16 units: an emoji is one.
export function lengthOf(text) {
  return [...text].length;
}

// Invisible characters that come with pasted text and that the server refuses.
export function withoutControls(text) {
  return text.replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, "");
}
