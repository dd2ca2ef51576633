// Keys of one letter: never while somebody types, nor with a modifier, nor under an open dialog.
// `moves`: what each key does; one that gives false leaves the key to the browser.
export function onKeys(moves) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const move = Object.hasOwn(moves, event.key) ? moves[event.key] : null;
    if (move && move() !== false) event.preventDefault();
  });
}

// Moves the focus from row to row of a list: a screen reader follows, Enter opens.
export function rowKeys(element) {
  return { j: () => step(element, 1), k: () => step(element, -1) };
}

// The row the focus is in.
export function currentRow(element) {
  const row = document.activeElement?.closest("[data-list-rows] > *");
  return row && element.contains(row) ? row : null;
}

export function focusRow(row) {
  const link = row?.querySelector(".row-link, a[href], button");
  link?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

function step(element, by) {
  const rows = [...element.querySelectorAll("[data-list-rows] > *")];
  const here = rows.indexOf(currentRow(element));
  if (here < 0) focusRow(rows.find((row) => row.getBoundingClientRect().bottom > 0) ?? rows[0]);
  else focusRow(rows[here + by]);
}

function isTyping(target) {
  const isTicked = target.matches?.("input[type=checkbox], input[type=radio]");
  return !isTicked && Boolean(target.closest?.("input, textarea, select, [contenteditable]:not([contenteditable=false])"));
}
