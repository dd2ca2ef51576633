// The loader: <script src="https://HOST/embed.js" data-site="KEY" async></script>
// Draws a launcher on someone else's page and, once it is wanted, the chat in a frame.
(() => {
  const script =
    document.currentScript || document.querySelector('script[data-site][src*="/embed.js"]');
  const site = script?.dataset.site;
  if (!site || window.p5Loaded) return; // included twice: one launcher
  window.p5Loaded = true;

  const FRAME_SECONDS = 10; // to get ready in all
  const AFTER_LOAD_SECONDS = 4; // an error page loads too, but never gets ready
  const chat = `${new URL(script.src).origin}/widget/${encodeURIComponent(site)}`;
  const origin = new URL(chat).origin;
  const store = `p5:${site}`;

  // What the host page remembers: the first visit (for attribution), that there is a
  // conversation, and which completion it was told of.
  let memory = {};
  try {
    memory = JSON.parse(localStorage.getItem(store)) || {};
  } catch {
    // Blocked: this visit is the first.
  }
  const remember = (values) => {
    Object.assign(memory, values);
    try {
      localStorage.setItem(store, JSON.stringify(memory));
    } catch {
      // Blocked: remembered until the next page.
    }
  };
  if (!memory.url) remember({ url: location.href, referrer: document.referrer });

  const CSS = `
:host{all:initial!important}
*{box-sizing:border-box;font:500 15px/1.3 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
[hidden]{display:none!important}
.root{position:fixed;z-index:2147483647;bottom:0;right:0;color-scheme:light dark}
.root.left{right:auto;left:0}
.launcher,.panel,.note{position:fixed;right:20px;bottom:calc(20px + env(safe-area-inset-bottom))}
.left>*{right:auto!important;left:20px}
.launcher{display:flex;align-items:center;gap:10px;min-width:56px;height:56px;padding:0 16px;border:1px solid #8883;border-radius:28px;background:var(--site);color:var(--on);cursor:pointer;box-shadow:0 8px 28px #0004}
.launcher:hover{filter:brightness(1.1)}
:focus-visible{outline:3px solid var(--site);outline-offset:3px}
svg{width:24px;height:24px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;flex:none}
.open .label,.open .chat,.launcher .down{display:none}
.open .down{display:block}
.busy svg{opacity:.4}
.badge{position:absolute;top:-4px;right:-4px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;background:#c8102e;color:#fff;font-size:13px;line-height:22px;text-align:center}
.panel{bottom:92px;width:400px;max-width:calc(100vw - 40px);height:calc(100vh - 112px);max-height:700px;border:0;border-radius:16px;background:Canvas;box-shadow:0 0 0 1px #8883,0 8px 28px #0004;visibility:hidden;opacity:0;transform:translateY(8px);pointer-events:none;transition:opacity .15s,transform .15s,visibility .15s}
.open .panel{visibility:visible;opacity:1;transform:none;pointer-events:auto}
.note{bottom:88px;display:flex;gap:8px;align-items:center;max-width:calc(100vw - 40px);padding:8px 8px 8px 16px;border-radius:12px;background:Canvas;color:CanvasText;box-shadow:0 0 0 1px #8883,0 8px 28px #0004}
.note button{min-height:40px;padding:0 12px;border:0;border-radius:8px;background:#8882;color:inherit;cursor:pointer}
@media(max-width:520px),(max-height:440px){
.label{display:none}
.open .launcher{display:none}
.panel{inset:var(--top,0) 0 auto!important;width:100%;max-width:none;height:100vh;height:var(--high,100dvh);max-height:none;border-radius:0}}
@media(prefers-reduced-motion){*{transition:none!important}}
@media print{.root{display:none}}`;

  const make = (tag, className, parent, text = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    parent?.append(element);
    return element;
  };
  const icon = (className, path) => {
    const draw = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
    const svg = draw("svg");
    svg.setAttribute("class", className);
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(draw("path"));
    svg.firstChild.setAttribute("d", path);
    launcher.append(svg);
  };

  const element = document.createElement("p5-chat");
  const shadow = element.attachShadow({ mode: "open" });
  // Unlike a <style>, this needs no permission from the page's Content-Security-Policy.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  shadow.adoptedStyleSheets = [sheet];
  const root = make("div", "root", shadow);
  const launcher = make("button", "launcher", root);
  launcher.type = "button";
  icon("chat", "M21 11.5a8.4 8.4 0 0 1-12.2 7.6L3 21l1.9-5.8A8.4 8.4 0 1 1 21 11.5z");
  icon("down", "M5 9l7 7 7-7");
  const label = make("span", "label", launcher);
  const badge = make("span", "badge", launcher);
  badge.hidden = true;

  let name = "";
  let frame;
  let note;
  let timer;
  let unread = 0;
  let isReady = false;
  let isWanted = false;

  function paint(look) {
    name = look.name;
    label.textContent = look.label;
    label.hidden = !look.label;
    root.classList.toggle("left", look.position === "left");
    root.lang = look.language;
    root.style.setProperty("--site", look.colour);
    root.style.setProperty("--on", textOn(look.colour));
    describe();
  }

  // White unless black is needed to reach WCAG's 4.5 : 1.
  function textOn(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5 ? "#fff" : "#000";
  }

  function describe() {
    const isOpen = root.classList.contains("open");
    const news = unread ? `, ${unread} unread` : "";
    const calm = label.textContent || (name ? `Chat with ${name}` : "Chat");
    launcher.setAttribute("aria-label", isOpen ? "Close chat" : calm + news);
    launcher.setAttribute("aria-expanded", isOpen);
    badge.textContent = unread > 9 ? "9+" : unread;
    badge.hidden = isOpen || !unread;
  }

  function load() {
    if (frame) return;
    frame = make("iframe", "panel", root);
    frame.title = name ? `Chat with ${name}` : "Chat";
    frame.addEventListener("load", () => expect(AFTER_LOAD_SECONDS));
    frame.src = `${chat}#p5`;
    root.prepend(frame);
    expect(FRAME_SECONDS);
  }

  function expect(seconds) {
    clearTimeout(timer);
    if (!isReady) timer = setTimeout(fail, seconds * 1000);
  }

  // The page's own clicks are never covered: what did not get ready goes away.
  function fail() {
    frame.remove();
    frame = null;
    root.classList.remove("busy");
    if (!isWanted) return;
    isWanted = false;
    note = make("div", "note", root, "The chat could not be loaded.");
    note.setAttribute("role", "alert");
    const act = (text, work) => {
      const button = make("button", "", note, text);
      button.type = "button";
      button.onclick = () => {
        dismiss();
        launcher.focus();
        work?.();
      };
    };
    act("Try again", open);
    act("Close");
  }

  function dismiss() {
    note?.remove();
    note = null;
  }

  function open() {
    isWanted = true;
    dismiss();
    load();
    if (isReady) show();
    else root.classList.add("busy");
  }

  function show() {
    root.classList.remove("busy");
    root.classList.add("open");
    describe();
    frame.focus();
    tell("open");
  }

  function close() {
    isWanted = false;
    root.classList.remove("open", "busy");
    describe();
    if (isReady) tell("closed");
    launcher.focus();
  }

  function tell(what, data) {
    frame.contentWindow.postMessage({ p5: what, ...data }, origin);
  }

  const heard = {
    ready() {
      isReady = true;
      clearTimeout(timer);
      const page = { url: location.href, title: document.title, referrer: document.referrer };
      page.first_url = memory.url;
      page.first_referrer = memory.referrer;
      tell("page", { page });
      if (isWanted) show();
    },
    close,
    session: () => remember({ session: true }),
    unread({ count }) {
      unread = count;
      describe();
    },
    completed({ session_id }) {
      try {
        Object.assign(memory, JSON.parse(localStorage.getItem(store))); // another tab was first?
      } catch {
        // Blocked: this page is all we know.
      }
      if (memory.completed === session_id) return;
      remember({ completed: session_id });
      dispatchEvent(new CustomEvent("p5:completed", { detail: { session_id, site } }));
      window.dataLayer ||= [];
      window.dataLayer.push({ event: "p5_completed", session_id, site });
    },
  };

  addEventListener("message", ({ source, origin: from, data }) => {
    if (!frame || source !== frame.contentWindow || from !== origin) return;
    if (data && Object.hasOwn(heard, data.p5)) heard[data.p5](data);
  });
  addEventListener("keydown", ({ key }) => key === "Escape" && isWanted && close());
  launcher.addEventListener("click", () => (isWanted ? close() : open()));
  // The host's own buttons may open the chat too.
  addEventListener("click", ({ target }) => target.closest?.("[data-p5-open]") && open());
  // A phone's keyboard makes the visible part of the page lower; the chat stays inside it.
  const fit = ({ target }) => {
    root.style.setProperty("--high", `${target.height}px`);
    root.style.setProperty("--top", `${target.offsetTop}px`);
  };
  window.visualViewport?.addEventListener("resize", fit);
  window.visualViewport?.addEventListener("scroll", fit);

  function start(look) {
    paint(look);
    document.body.append(element);
    if (memory.session) load(); // an earlier conversation may have news
  }

  function whenThereIsABody(work) {
    if (document.body) work();
    else document.addEventListener("DOMContentLoaded", work);
  }

  fetch(`${chat}/look`)
    .then((answer) => {
      if (answer.status === 404) throw new Error(`platform-5ive: there is no site "${site}"`);
      return answer.json();
    })
    .then((look) => whenThereIsABody(() => start(look)))
    .catch((error) => console.warn(error.message || error));
})();
