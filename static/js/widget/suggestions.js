import { make } from "./view.js";

// Answers one can give by a press: choices, a day from the calendar, "Skip".
export function createSuggestions({ box, words, fill, answer }) {
  let isAnswered = false;

  function show(input) {
    isAnswered = false;
    box.replaceChildren();
    if (input.type === "choice") (input.choices || []).forEach(({ label }) => offer(label));
    if (input.type === "date") offerDay();
    const mayBeSkipped = input.field && !input.required && input.field !== "consent";
    if (mayBeSkipped && input.type !== "none") offer(words("skip"), "quiet");
    box.hidden = !box.children.length;
  }

  function offer(label, look = "") {
    const button = make("button", `choice ${look}`, label);
    button.type = "button";
    button.dir = "auto";
    button.addEventListener("click", () => {
      box.replaceChildren(); // a second press would be a second answer
      box.hidden = true;
      isAnswered = true;
      answer(label);
    });
    box.append(button);
  }

  function offerDay() {
    const label = make("label", "choice day", words("pickDate"));
    const day = make("input", "");
    day.type = "date";
    day.addEventListener("change", () => day.value && fill(day.value));
    label.append(day);
    box.append(label);
  }

  return {
    show,
    get isAnswered() {
      return isAnswered;
    },
  };
}
