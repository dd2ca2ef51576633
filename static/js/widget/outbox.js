// Nothing a visitor typed is lost: every message waits here until the server has answered it.
// Each has its own storage key, so that two tabs never overwrite each other's.

const LONGEST_WAIT_SECONDS = 30;

// `deliver(entry)` resolves when the server has answered and throws a Problem otherwise.
// `refused(entry, problem)`: the server will never take this one. `changed()`: draw again.
export function createOutbox({ storage, deliver, refused, changed }) {
  const states = new Map(); // client id → "sending" | "stored" | "waiting" | "busy", as this tab knows it
  let failures = 0;
  let timer = null;
  let running = false;
  let again = false;

  function entries() {
    return storage
      .names()
      .filter((name) => name.startsWith("out:"))
      .map((name) => storage.get(name))
      .filter(Boolean)
      .sort((a, b) => a.at - b.at || a.order - b.order)
      .map((entry) => ({ ...entry, state: states.get(entry.client_id) || "sending" }));
  }

  function add(text) {
    const clientId = newId();
    const order = entries().length;
    storage.set(`out:${clientId}`, { client_id: clientId, text, at: Date.now(), order });
    changed();
    drain();
  }

  function mark(entry, state) {
    states.set(entry.client_id, state);
    changed();
  }

  function settle(entry) {
    storage.remove(`out:${entry.client_id}`);
    states.delete(entry.client_id);
    failures = 0;
  }

  // Strictly one after the other, from the oldest. Waiting happens outside the lock, so a tab
  // that is asleep never keeps the others from sending.
  async function drain() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await storage.alone("outbox", sendAll);
      } while (again);
    } finally {
      running = false;
    }
  }

  async function sendAll() {
    for (let [entry] = entries(); entry; [entry] = entries()) {
      mark(entry, "sending");
      try {
        await deliver(entry, () => mark(entry, "stored"));
        settle(entry);
      } catch (problem) {
        if (!problem.isFinal) {
          postpone(problem);
          return;
        }
        settle(entry);
        refused(entry, problem);
      }
      changed();
    }
  }

  function postpone(problem) {
    const state = stateAfter(problem);
    entries().forEach((entry) => states.set(entry.client_id, state));
    timer = setTimeout(drain, 1000 * pauseAfter(problem, failures));
    failures += 1;
    changed();
  }

  addEventListener("online", drain);
  return { add, drain, entries };
}

// 409: earlier messages are being answered, this one is as good as on its way.
function stateAfter(problem) {
  if (!problem.isBusy) return "waiting";
  return problem.status === 409 ? "sending" : "busy";
}

// In seconds. A server that is busy knows better than we how long; a little more keeps those who
// were refused together from coming back together.
export function pauseAfter(problem, failures) {
  if (problem.isBusy) return problem.retryAfterSeconds + 2 * Math.random();
  const backOff = Math.min(2 ** failures, LONGEST_WAIT_SECONDS) * (0.75 + Math.random() / 2);
  return Math.max(problem.retryAfterSeconds ?? 0, backOff);
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // only on HTTPS and localhost
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
