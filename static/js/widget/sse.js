// Server-sent events read from a fetch body: EventSource can neither POST nor send a token.

export function createEventParser(emit) {
  let rest = "";
  let name = "";
  let data = [];

  function line(text) {
    if (text === "") {
      if (data.length) emit(name || "message", data.join("\n"));
      name = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return; // a comment that keeps the connection alive
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }

  return (chunk) => {
    rest += chunk;
    // A lone CR at the very end may be half of a CRLF: leave it for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(line);
  };
}

export async function readEvents(response, emit, heard = () => {}) {
  const feed = createEventParser(emit);
  const reader = response.body.getReader();
  const decoder = new TextDecoder(); // keeps a character that is cut in two by a chunk border
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    heard();
    feed(decoder.decode(value, { stream: true }));
  }
  feed(`${decoder.decode()}\n\n`); // the last event, if the server left out its blank line
}
