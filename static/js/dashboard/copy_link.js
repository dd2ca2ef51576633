// A button that copies the address of what the page shows, and says so.
const SAY_DONE_MS = 2500;

export function copyLink(button) {
  const label = button.querySelector("[data-label]");
  const words = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    label.textContent = (await copied(new URL(button.dataset.link, location.href).href)) ? "Link copied" : "Could not copy";
    setTimeout(() => {
      label.textContent = words;
    }, SAY_DONE_MS);
  });
}

// Without https there is no clipboard: then the old way, by a selection.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

function copiedBySelection(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isDone;
}
