// Rows are ticked and sent together by the form's own button, which says how many. Rows drawn anew
// keep their tick.
export function pick(form) {
  const list = form.closest("[data-controller=list]");
  const all = list.querySelector("[data-all] input");
  const words = form.querySelector("[data-words]");
  const chosen = new Set();
  const boxes = () => [...list.querySelectorAll(`input[form="${form.id}"]`)];

  function draw() {
    const here = boxes();
    const ids = new Set(here.map((box) => box.value));
    for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
    for (const box of here) box.checked = chosen.has(box.value);
    form.hidden = !chosen.size;
    words.textContent = words.dataset.words.replace("{}", chosen.size);
    if (all) {
      all.closest("[data-all]").hidden = !here.length;
      all.checked = here.length > 0 && chosen.size === here.length;
      all.indeterminate = chosen.size > 0 && !all.checked;
    }
  }

  list.addEventListener("change", ({ target }) => {
    const boxesMeant = target === all ? boxes() : target.getAttribute("form") === form.id ? [target] : [];
    for (const box of boxesMeant) target.checked ? chosen.add(box.value) : chosen.delete(box.value);
    draw();
  });
  list.addEventListener("rows", draw);
  // After going back, the browser ticks what was ticked.
  for (const box of boxes()) if (box.checked) chosen.add(box.value);
  draw();
}
