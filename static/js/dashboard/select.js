// Rows are ticked and moved together, without leaving the page. What one presses is the form's own
// button; the server says what was done.
import { currentRow, onKeys } from "./keys.js";
import { say } from "./say.js";

const LOST = "We could not reach the server, so nothing was changed. Please try again.";
const OPPOSITE = { archive: "activate", activate: "archive" };

export function select(form) {
  const list = form.closest("[data-controller=list]");
  const all = list.querySelector("[data-all] input");
  const chosen = new Set();
  let isBusy = false;

  form.classList.add("is-live");
  if (all) all.closest("[data-all]").hidden = false;

  const boxes = () => [...list.querySelectorAll(`input[form="${form.id}"]`)];
  const rowOf = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const isArchived = (id) => rowOf(id)?.dataset.archive === "archived";
  const button = (move) => form.querySelector(`[data-move="${move}"]`);

  // The rows may have been drawn anew, or have gone.
  function draw() {
    const here = boxes();
    const ids = new Set(here.map((box) => box.value));
    for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
    for (const box of here) box.checked = chosen.has(box.value);
    form.classList.toggle("is-shown", chosen.size > 0);
    form.querySelector("[data-number]").textContent = chosen.size ? `${chosen.size} selected` : "";
    button("archive").hidden = [...chosen].every(isArchived);
    button("activate").hidden = ![...chosen].some(isArchived);
    form.querySelector("[data-every]").hidden = chosen.size === here.length;
    if (all) {
      all.checked = here.length > 0 && chosen.size === here.length;
      all.indeterminate = chosen.size > 0 && !all.checked;
    }
  }

  function choose(ids, isWanted) {
    for (const id of ids) isWanted ? chosen.add(id) : chosen.delete(id);
    draw();
  }

  // `moved`: those of `ids` that are not there already; to undo this moves no others.
  async function send(move, ids, moved = null) {
    if (isBusy || !ids.length) return;
    isBusy = true;
    moved ??= ids.filter((id) => isArchived(id) === (move === "activate"));
    const body = new FormData(form);
    body.delete("ids");
    ids.forEach((id) => body.append("ids", id));
    const told = await post(button(move).getAttribute("formaction") ?? form.action, body);
    isBusy = false;
    if (told === null) return say(LOST, "trouble");
    choose(ids, false);
    say(told, "done", moved.length ? { label: "Undo", run: () => send(OPPOSITE[move], moved, moved) } : null);
    list.dispatchEvent(new CustomEvent("moved", { detail: ids }));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter.dataset.move, [...chosen]);
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-none]")) choose([...chosen], false);
    if (event.target.closest("[data-every]")) choose(boxes().map((box) => box.value), true);
  });
  list.addEventListener("change", ({ target }) => {
    if (target === all) choose(boxes().map((box) => box.value), all.checked);
    else if (target.getAttribute("form") === form.id) choose([target.value], target.checked);
  });
  list.addEventListener("rows", draw);
  onKeys({
    x() {
      const id = currentRow(list)?.dataset.id;
      if (id) choose([id], !chosen.has(id));
      return Boolean(id);
    },
    e() {
      const here = currentRow(list)?.dataset.id;
      const ids = chosen.size ? [...chosen] : here ? [here] : [];
      send(ids.every(isArchived) ? "activate" : "archive", ids);
      return ids.length > 0;
    },
    Escape: () => chosen.size > 0 && choose([...chosen], false),
  });
  draw();
}

// What the server says it did; null when it could not be asked.
async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "text/plain" } });
    // Signed out, or the page is too old: it says so when it is loaded again.
    if (response.redirected || response.status === 400) location.reload();
    return response.ok && !response.redirected ? await response.text() : null;
  } catch {
    return null;
  }
}
