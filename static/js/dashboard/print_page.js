// A button that prints the page.
export function printPage(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
