import { Problem, readMessages, sendMessage, startSession } from "./api.js";
import { pauseAfter } from "./outbox.js";

// One session with the server: begun or resumed, kept in step, its answers handed to `show`.
// `show`: {greeting(answer), answer(answer, isNew), typing(bool), reset(), note(word),
// notice(word or null, action), unusable(text)}.
export function createConversation({ site, storage, host, thread, show }) {
  let session = storage.get("session");
  let cursor = 0; // up to here everything was read; only a GET moves it, it leaves no gap
  let newest = 0; // the last message whose state is on show
  let failures = 0;
  let timer = null;
  let beginning = null;
  let sending = 0;
  let isBehind = false; // another tab had news while a reply was coming in here
  let isUnusable = false;

  // Resume what there is, or begin. Tries again by itself until the server answers.
  async function open() {
    clearTimeout(timer);
    if (isUnusable) return;
    try {
      if (session) await catchUp();
      else await begin();
      failures = 0;
      show.notice(null);
    } catch (problem) {
      if (problem.isSessionLost && session) {
        forget();
        return void open();
      }
      if (problem.isSessionLost || problem.isFinal) {
        isUnusable = true;
        show.unusable(problem.message);
        return;
      }
      timer = setTimeout(open, 1000 * pauseAfter(problem, failures));
      failures += 1;
      show.notice(problem.isBusy ? "busy" : "unreachable", open);
    }
  }

  // Two tabs, or the greeting and a first message, ask at once: one session is made.
  function begin() {
    beginning ??= storage.alone("session", beginAlone).finally(() => {
      beginning = null;
    });
    return beginning;
  }

  async function beginAlone() {
    const other = storage.get("session");
    if (other) return adopt(other);
    show.typing(true);
    try {
      const answer = await startSession(site, {
        visitor_id: storage.get("visitor") || undefined,
        page: await host.page,
        locale: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      });
      session = { session_id: answer.session_id, token: answer.token };
      cursor = 0;
      newest = 0;
      storage.set("visitor", answer.visitor_id);
      storage.set("session", session);
      host.tell("session", { session_id: session.session_id });
      thread.reset();
      await show.greeting(answer);
      if (session?.session_id === answer.session_id) tell(answer, 0);
    } finally {
      show.typing(false);
    }
  }

  async function adopt(other) {
    session = other;
    cursor = 0;
    newest = 0;
    thread.reset();
    await catchUp();
  }

  // Page by page: a long conversation does not come in one answer.
  async function catchUp() {
    const current = session;
    let answer;
    let after;
    do {
      after = cursor;
      answer = await readMessages(current, after);
      if (current !== session) return; // started over meanwhile
      cursor = Math.max(cursor, lastOf(answer, after));
      answer.messages.forEach(thread.store);
    } while (answer.more && cursor > after);
    tell(answer, after);
  }

  // Answers overtake each other: a greeting still being told, a slow look at the server. What an
  // older one asks for never replaces the question on show.
  function tell(answer, after) {
    const last = lastOf(answer, after);
    if (last < newest) return;
    show.answer(answer, last > newest);
    newest = last;
  }

  // What came since: other tabs, other people. Not while a reply is streaming in: it would be
  // drawn twice. A failure does not matter, the next look finds the same.
  async function refresh() {
    isBehind = sending > 0;
    if (!session || sending || isUnusable) return;
    await catchUp().catch((problem) => {
      if (problem.isSessionLost) open();
    });
  }

  async function deliver(entry, stored, isSecondTry = false) {
    if (isUnusable) throw new Problem(0);
    sending += 1;
    try {
      if (!session || beginning) await begin(); // the greeting comes first
      const current = session;
      const answer = await sendMessage(current, entry, {
        message(message) {
          if (current !== session) return;
          const isReply = message.role !== "visitor";
          if (!isReply) stored();
          show.typing(!isReply);
          thread.store(message);
        },
        delta(text) {
          if (current !== session) return;
          show.typing(false);
          thread.stream(text);
        },
      });
      if (current !== session) return;
      answer.messages.forEach(thread.store);
      thread.dropStream();
      tell(answer, 0);
      show.notice(null);
    } catch (problem) {
      thread.breakOff();
      if (!problem.isSessionLost || isSecondTry) throw problem;
      forget();
      await begin();
      show.note("newChat");
      await deliver(entry, stored, true);
    } finally {
      sending -= 1;
      show.typing(false);
      if (isBehind) refresh();
    }
  }

  function forget() {
    storage.remove("session");
    session = null;
  }

  function startOver() {
    forget();
    thread.reset();
    show.reset();
    return open();
  }

  // Another tab began a new session, or ended this one.
  function follow() {
    const other = storage.get("session");
    if (!other || other.session_id === session?.session_id) return;
    show.reset();
    adopt(other).catch(open);
  }

  return {
    open,
    refresh,
    deliver,
    startOver,
    follow,
    get id() {
      return session?.session_id;
    },
  };
}

function lastOf(answer, after) {
  return Math.max(after, ...answer.messages.map((message) => message.id));
}
