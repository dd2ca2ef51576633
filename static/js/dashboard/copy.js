// A button that copies what a field beside it holds. Without the clipboard the text is selected.
const SAY_DONE_MS = 2000;

export function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const label = button.querySelector("[data-label]");
  const words = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => {
      label.textContent = words;
    }, SAY_DONE_MS);
  });
}
