import { withoutControls } from "./hints.js";

// The page around us, if embed.js put us there (it says so in the address: #p5). Who may frame us
// is settled by the frame-ancestors header; here only the parent window is listened to.

export function connectHost({ opened, closed }) {
  const isEmbedded = location.hash === "#p5" && parent !== window;
  let origin = "*"; // until the loader has told: before that nothing private is sent
  let isOpen = !isEmbedded;
  let tellPage;
  const page = new Promise((resolve) => {
    tellPage = resolve;
  });

  if (isEmbedded) {
    addEventListener("message", (event) => {
      if (event.source !== parent || !event.data || typeof event.data.p5 !== "string") return;
      if (event.data.p5 === "page") {
        origin = event.origin;
        tellPage(fitting(event.data.page));
      } else if (event.data.p5 === "open") {
        isOpen = true;
        opened();
      } else if (event.data.p5 === "closed") {
        isOpen = false;
        closed();
      }
    });
  } else {
    const isFrame = parent !== window;
    tellPage(fitting({ url: (isFrame && document.referrer) || location.href }));
  }

  function tell(what, data = {}) {
    if (isEmbedded) parent.postMessage({ p5: what, ...data }, origin);
  }

  return {
    isEmbedded,
    page,
    tell,
    get isOpen() {
      return isOpen;
    },
  };
}

// What the server takes: a host page with an endless address must not cost us the chat.
const LONGEST = { url: 2000, title: 500, referrer: 2000, first_url: 2000, first_referrer: 2000 };

function fitting(page) {
  const pairs = Object.entries(LONGEST).map(([name, longest]) => [
    name,
    [...withoutControls(String(page?.[name] ?? ""))].slice(0, longest).join(""),
  ]);
  return Object.fromEntries(pairs.filter(([, text]) => text));
}
