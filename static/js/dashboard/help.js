// The list of keys, opened by `?` and by every [data-help] button.
import { onKeys } from "./keys.js";

export function help(dialog) {
  onKeys({ "?": () => dialog.showModal() });
  for (const button of document.querySelectorAll("[data-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
  // A click beside it closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
