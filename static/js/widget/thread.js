import { createBot } from "botui";

const LONGEST_WORD = 40; // longer ones are of a script that puts no blanks between words

// The list of messages, held by BotUI's core. Only `message.add` and `message.update` are used:
// - its input side (`action.set`) shares one resolver slot with `message.add`, so a reply that
//   arrives while an action is pending leaves that input dead. Replies arrive whenever they like,
//   so the input area is our own (composer.js);
// - after a `remove` the next key is given twice, and `setAll` appends: a block that must go is
//   hidden by `update`, and a new conversation gets a new bot.
export function createThread(changed) {
  let bot;
  let blocks;
  let keys; // "m:<message id>", "c:<client id>" or "stream" → BotUI key
  let known; // what BotUI holds of a line → the line as it was handed out last
  let nextLocal = 1;

  function reset() {
    bot = createBot();
    blocks = [];
    keys = new Map();
    known = new WeakMap();
    bot.onChange("message", (all) => {
      blocks = all;
      changed(lines());
    });
    changed(lines());
  }

  function held(name) {
    return keys.has(name) ? blocks.find((block) => block.key === keys.get(name)).data : null;
  }

  function write(name, data) {
    if (keys.has(name)) {
      bot.message.update(keys.get(name), data);
      return;
    }
    bot.message.add({ local: nextLocal, ...data }, {});
    nextLocal += 1;
    keys.set(name, blocks.at(-1).key);
  }

  // A message of the server's. It takes over the bubble it was typed or streamed in.
  function store(message) {
    const name = `m:${message.id}`;
    const earlier = message.client_id ? `c:${message.client_id}` : "stream";
    const mayTakeOver = message.client_id || message.role === "assistant";
    if (!keys.has(name) && mayTakeOver && keys.has(earlier)) {
      keys.set(name, keys.get(earlier));
      if (earlier === "stream") keys.delete("stream");
    }
    const at = Date.parse(message.created_at);
    write(name, { ...message, at, state: null, isStreaming: false, isBroken: false });
    // It may still wait in the outbox, of another tab or from before a reload: that is this line.
    if (message.client_id) keys.set(`c:${message.client_id}`, keys.get(name));
  }

  // What the visitor typed and the server has not answered yet.
  function pend(entry, state) {
    const name = `c:${entry.client_id}`;
    const line = held(name);
    if (line && (line.id || line.state === state)) return;
    write(name, { role: "visitor", text: entry.text, client_id: entry.client_id, state, isGone: false });
  }

  function withdraw(clientId) {
    const line = held(`c:${clientId}`);
    if (line && !line.id) write(`c:${clientId}`, { isGone: true });
  }

  // The assistant's words as they come; told anew after a break, they take the place of the old.
  function stream(text) {
    const line = held("stream");
    if (line && !line.isBroken) {
      write("stream", { text: line.text + text });
      return;
    }
    const last = lines().filter((one) => one.id && one.role === "visitor").at(-1);
    write("stream", {
      role: "assistant",
      text,
      isStreaming: true,
      isBroken: false,
      at: last ? last.at : Date.now(),
      rank: last ? last.id + 0.5 : 0,
    });
  }

  // A reply that broke off stays as it is, until the server tells it again from the start.
  function breakOff() {
    const line = held("stream");
    if (line && !line.isBroken) write("stream", { text: cutOff(line.text), isBroken: true });
  }

  // The server has answered otherwise.
  function dropStream() {
    if (!keys.has("stream")) return;
    write("stream", { isGone: true });
    keys.delete("stream");
  }

  // A line of the widget's own, above everything that follows.
  function note(text) {
    write("note", { role: "system", text, isNote: true, at: 0, rank: 0 });
  }

  // What is to be seen, in order: the server's lines by time and id, then what waits to be sent.
  function lines() {
    return blocks
      .map((block) => {
        if (!known.has(block.data)) known.set(block.data, { key: block.key, ...block.data });
        return known.get(block.data);
      })
      .filter((line) => !line.isGone)
      .sort((a, b) => {
        const isSettled = (line) => Boolean(line.id || line.isStreaming || line.isNote);
        if (isSettled(a) !== isSettled(b)) return isSettled(a) ? -1 : 1;
        if (!isSettled(a)) return a.local - b.local;
        return a.at - b.at || (a.id || a.rank) - (b.id || b.rank);
      });
  }

  reset();
  return { reset, store, pend, withdraw, stream, breakOff, dropStream, note, lines };
}

// Without its last word, which may be half a word or half a price.
function cutOff(text) {
  const whole = text.replace(/\S*$/u, "").trimEnd();
  return `${text.length - whole.length > LONGEST_WORD ? text : whole}…`;
}
