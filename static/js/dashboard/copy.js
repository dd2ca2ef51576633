// A button that copies what a field beside it holds. The old way, by selecting: it works without
// https, too, and leaves the text selected where nothing may be copied.
const SAY_DONE_MS = 2000;

export function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const label = button.querySelector("[data-label]");
  const words = label.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    source.select();
    label.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    setTimeout(() => {
      label.textContent = words;
    }, SAY_DONE_MS);
  });
}
