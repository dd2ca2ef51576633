import { readEvents } from "./sse.js";

// Longer than this site's assistant may think, and another one after it.
const SILENCE_LIMIT_SECONDS = +document.documentElement.dataset.patienceSeconds;

// Anything but an answer. `status` 0: the server was not reached or broke off half-way.
export class Problem extends Error {
  constructor(status, body = {}, retryAfterSeconds = null) {
    const [first] = Object.values(body.errors || {}).flat();
    super(first || body.detail || body.title || "");
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get isSessionLost() {
    return this.status === 401 || this.status === 404;
  }

  // The server is there and says when to come again; nothing is wrong with the message.
  get isBusy() {
    return [409, 429, 503].includes(this.status) && this.retryAfterSeconds !== null;
  }

  // The message itself is refused: sending the same again would be refused again.
  get isFinal() {
    return [400, 403, 413, 415, 422].includes(this.status);
  }
}

export function startSession(site, body) {
  return call(`/widget/${encodeURIComponent(site)}/sessions`, { body }, asJson);
}

export function readMessages(session, after) {
  return call(`${messagesPath(session)}?after=${after}`, { token: session.token }, asJson);
}

// Sends one message and resolves to {messages, input, completion_status}.
// `on.message(message)` and `on.delta(text)` are called on the way when the server streams.
export function sendMessage(session, { client_id, text }, on) {
  const request = { token: session.token, body: { client_id, text }, accept: "text/event-stream" };
  return call(messagesPath(session), request, (response, heard) => {
    const isStream = (response.headers.get("content-type") || "").startsWith("text/event-stream");
    return isStream ? asStream(response, on, heard) : asJson(response);
  });
}

function messagesPath(session) {
  return `/widget/sessions/${encodeURIComponent(session.session_id)}/messages`;
}

async function call(path, { token, body, accept = "application/json" }, read) {
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const abort = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), SILENCE_LIMIT_SECONDS * 1000);
  };
  heard();
  try {
    const response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal: abort.signal,
    });
    if (!response.ok) throw await asProblem(response);
    return await read(response, heard);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0);
  } finally {
    clearTimeout(timer);
  }
}

function asJson(response) {
  return response.json();
}

async function asStream(response, on, heard) {
  const messages = [];
  let state = null;
  let problem = null;
  await readEvents(response, (name, data) => {
    const value = JSON.parse(data);
    if (name === "message") {
      messages.push(value);
      on.message(value);
    } else if (name === "delta") on.delta(value.text);
    else if (name === "state") state = value;
    else if (name === "problem") problem = value;
  }, heard);
  if (problem) throw new Problem(problem.status || 500, problem, problem.retry_after ?? null);
  if (!state) throw new Problem(0); // broke off: the reply is not complete
  return { messages, ...state };
}

async function asProblem(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body, secondsUntil(response.headers.get("retry-after")));
}

function secondsUntil(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\d+$/.test(retryAfter) ? +retryAfter : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
