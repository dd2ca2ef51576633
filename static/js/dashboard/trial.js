// "Try a message" answers while one types. Without this, its button asks.
const PAUSE_MS = 200;
const NAMES = ["phrases", "exclusions", "message"];

export function trial(form) {
  let timer = 0;
  let newest = 0;

  async function ask() {
    const own = ++newest;
    let response;
    try {
      response = await fetch(form.dataset.trial, { method: "POST", body: new FormData(form) });
    } catch {
      return; // the button is still there
    }
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("[data-part=trial]");
    // An answer that comes late must not replace a newer one.
    if (fresh && own === newest) {
      form.querySelector("[data-part=trial]").replaceWith(document.adoptNode(fresh));
    }
  }

  form.addEventListener("input", (event) => {
    if (!NAMES.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
}
