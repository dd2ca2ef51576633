// "Try it": the conversation lives here alone and is sent along with each message, with the
// settings as they are typed.
const LOST = "We could not reach the server. Please try again.";
const BROKEN = "That did not work. Please load the page again and try once more.";

export function assistantTrial(element) {
  const form = document.getElementById(element.dataset.settings);
  const log = element.querySelector("[data-log]");
  const composer = element.querySelector("[data-composer]");
  const message = composer.querySelector("textarea");
  const send = composer.querySelector("button");
  const again = element.querySelector("[data-again]");
  let lines = [];
  let draft = {};
  let conversation;
  let running = null;

  remember(log.querySelector("[data-tried]"));
  composer.hidden = again.hidden = false;
  element.querySelector("[data-plain]").remove();

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    say(message.value);
  });
  message.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    say(message.value);
  });
  log.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-say]");
    if (choice) say(choice.dataset.say);
  });
  again.addEventListener("click", async () => {
    await begin();
    message.focus();
  });
  // Another assistant has another greeting, and knows nothing of what this one has asked.
  form.addEventListener("change", (event) => event.target.name === "assistant" && begin());

  async function begin() {
    running?.abort();
    [lines, draft, conversation] = [[], {}, undefined];
    log.replaceChildren();
    show(await ask([]));
  }

  async function say(text) {
    if (!text.trim() || running) return;
    const line = { role: "visitor", text: text.trim() };
    for (const choices of log.querySelectorAll(".try-choices")) choices.remove();
    add(bubble(line.text));
    message.value = "";
    const answer = await ask([...lines, line]);
    if (answer === null) return; // started again meanwhile
    if (answer.querySelector(".bubble")) lines.push(line);
    else message.value ||= line.text; // it was not answered: it can be sent once more
    show(answer);
    message.focus();
  }

  // The answer as an element; null when it is no longer wanted.
  async function ask(sent) {
    const own = new AbortController();
    running = own;
    const waiting = add(note("Waiting for the answer…"));
    waiting.classList.add("is-waiting");
    send.disabled = true;
    try {
      const response = await fetch(element.dataset.trial, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": settings().csrf_token },
        body: JSON.stringify({ settings: settings(), lines: sent, draft, conversation }),
        signal: own.signal,
      });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const tried = response.redirected ? null : page.querySelector(".tried");
      return tried ? document.adoptNode(tried) : note(BROKEN);
    } catch {
      return own.signal.aborted ? null : note(LOST);
    } finally {
      waiting.remove();
      if (running === own) running = null;
      send.disabled = running !== null;
    }
  }

  function show(answer) {
    if (answer === null) return;
    add(answer);
    remember(answer);
    const known = answer.querySelector("[data-known-next]");
    if (known) {
      const place = element.querySelector("[data-known]");
      const isOpen = place.querySelector("details")?.open;
      place.replaceChildren(...known.childNodes);
      if (isOpen && place.querySelector("details")) place.querySelector("details").open = true;
      known.remove();
    }
  }

  function remember(answer) {
    if (!answer?.dataset.tried) return;
    const told = JSON.parse(answer.dataset.tried);
    lines.push(...told.lines);
    draft = told.draft;
    conversation = told.conversation;
  }

  function add(child) {
    log.append(child);
    log.scrollTop = log.scrollHeight;
    return child;
  }

  function settings() {
    return Object.fromEntries(new FormData(form));
  }
}

function bubble(text) {
  const element = document.createElement("p");
  element.className = "bubble bubble-mine";
  element.dir = "auto";
  element.textContent = text;
  return element;
}

function note(text) {
  const element = document.createElement("p");
  element.className = "second try-note";
  element.textContent = text;
  return element;
}
