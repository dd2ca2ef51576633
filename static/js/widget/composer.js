import { LONGEST_TEXT, hintFor, lengthOf, withoutControls } from "./hints.js";
import { createSuggestions } from "./suggestions.js";

const COUNT_FROM = LONGEST_TEXT - 400;
const HINT_AFTER_MS = 600;
const PLACEHOLDERS = {
  email: "placeholderEmail",
  phone: "placeholderPhone",
  date: "placeholderDate",
  choice: "placeholderChoice",
};

// The visitor's side: a text area, or one line for an e-mail address, a phone number, a name.
// The e-mail field is no type=email: browsers rewrite what is typed there (foreign letters in a
// domain become xn--…), and an answer in own words has to go through as it is.
export function createComposer({ form, suggestions, words, storage, submit }) {
  const area = form.querySelector("textarea");
  const line = form.querySelector("input");
  const hint = form.querySelector(".hint");
  const counter = form.querySelector(".counter");
  const send = form.querySelector("button");
  const offers = createSuggestions({ box: suggestions, words, fill, answer });
  let field = area;
  let input = { type: "text" };
  let hintTimer;

  // `isNew`: asked by a message that was not here before, so a pressed choice is offered again.
  function setInput(next, isNew) {
    const isSame = JSON.stringify(next) === JSON.stringify(input);
    if (isSame && isNew && offers.isAnswered) offers.show(input);
    if (isSame) return;
    input = next;
    form.hidden = input.type === "none";
    const isShort = ["email", "phone", "date"].includes(input.type) || input.field === "name";
    line.type = input.type === "phone" ? "tel" : "text";
    line.inputMode = { email: "email", phone: "tel" }[input.type] || "text";
    line.autocomplete = { email: "email", phone: "tel" }[input.type] || input.field || "off";
    line.autocapitalize = input.type === "email" ? "off" : "sentences";
    line.spellcheck = false;
    // Text already begun stays in the text area: it may have more than one line.
    swap(isShort && !area.value.includes("\n") ? line : area);
    field.placeholder = input.placeholder || words(PLACEHOLDERS[input.type] || "placeholder");
    offers.show(input);
    check();
  }

  function swap(next) {
    if (next === field) return;
    const hadFocus = document.activeElement === field;
    next.value = field.value;
    field.hidden = true;
    next.hidden = false;
    field = next;
    if (hadFocus) field.focus();
    grow();
  }

  function fill(text) {
    field.value = text;
    edited();
  }

  // Text the server refused comes back to be changed; what was typed meanwhile is kept.
  function giveBack(text, reason) {
    const draft = field.value.trim() ? `\n${field.value}` : "";
    if (draft || text.includes("\n")) swap(area);
    fill(text + draft);
    say(reason, "wrong");
    focus();
  }

  function answer(text) {
    submit(text);
    focus();
  }

  function trySubmit() {
    const text = withoutControls(field.value);
    if (!text.trim() || lengthOf(text) > LONGEST_TEXT) return;
    fill("");
    say("");
    submit(text);
  }

  function edited() {
    storage.set("draft", field.value);
    grow();
    check();
  }

  function check() {
    const length = lengthOf(field.value);
    const over = length - LONGEST_TEXT;
    send.disabled = !field.value.trim() || over > 0;
    counter.textContent = length < COUNT_FROM || over > 0 ? "" : words("left", -over);
    clearTimeout(hintTimer);
    if (over > 0) say(words("tooLong", over), "wrong");
    else if (hintFor(input.type, field.value) === "looksRight") say(words("looksRight"), "right");
    else {
      say("");
      // Only once they pause: nobody wants to be corrected in the middle of a word.
      hintTimer = setTimeout(() => {
        const name = hintFor(input.type, field.value);
        if (name) say(words(name));
      }, HINT_AFTER_MS);
    }
  }

  function say(text, tone = "") {
    if (hint.textContent !== text) hint.textContent = text;
    hint.dataset.tone = tone;
  }

  function grow() {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }

  // On a phone, focus would push the keyboard over what there is to read.
  function focus() {
    if (!matchMedia("(pointer: coarse)").matches) field.focus({ preventScroll: true });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trySubmit();
    field.focus();
  });
  form.addEventListener("input", edited);
  area.addEventListener("keydown", (event) => {
    // Enter also accepts a suggestion of an input method: isComposing says so.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    trySubmit();
  });

  field.placeholder = words("placeholder");
  fill(storage.get("draft") || "");
  return { setInput, giveBack, focus };
}
