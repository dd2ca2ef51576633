// "3 new sessions": how many rows wait to be shown, and the button that shows them.
export function news(element, show) {
  const place = document.createElement("div");
  const { one, many } = element.dataset;
  const ids = new Set();
  let button = null;
  place.className = "news";
  place.setAttribute("role", "status");
  element.prepend(place);

  function draw() {
    if (!ids.size) {
      place.replaceChildren();
      button = null;
      return;
    }
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "news-button";
      button.addEventListener("click", showAll);
      place.append(button);
    }
    const text = `${ids.size} new ${ids.size === 1 ? one : many}`;
    if (button.textContent !== text) button.textContent = text;
  }

  async function showAll() {
    const shown = new Set(ids);
    if (!shown.size || !(await show(shown))) return;
    shown.forEach((id) => ids.delete(id));
    draw();
  }

  return {
    ids,
    add(id) {
      ids.add(id);
      draw();
    },
    drop(id) {
      if (ids.delete(id)) draw();
    },
    show() {
      if (!ids.size) return false;
      showAll();
      return true;
    },
  };
}
