import { make } from "./view.js";

// Addresses in an answer. One can be clicked only when it leads, without any detour, to a host of
// the site's own, written as the site writes it; every other one stays the text it is.

const ADDRESS = /https?:\/\/[^\s<>"]+/giu;
const HOST = /^https?:\/\/([^\s/?#@:\\%]+)(?:[/?#]|$)/iu;
const UNSEEN = /[\p{Cc}\p{Cf}\\]/u; // what makes an address look like another one
const ENDS = ".,;:!?'’”»…*_";

// `links(text)`: strings and elements, which together say `text`.
export function createLinks(hosts) {
  const own = new Set(hosts.flatMap((host) => [host, hostOf(`https://${host}`)]).map(withoutWww));

  return (text) => {
    const parts = [];
    let end = 0;
    for (const { 0: found, index } of text.matchAll(ADDRESS)) {
      const address = trimmed(found);
      if (/[\p{L}\p{N}]/u.test(text[index - 1] || "") || !isOwn(address)) continue;
      parts.push(text.slice(end, index), link(address));
      end = index + address.length;
    }
    parts.push(text.slice(end));
    return parts.filter((part) => part !== "");
  };

  function isOwn(address) {
    const written = HOST.exec(address)?.[1].toLowerCase();
    const isPlain = written && !UNSEEN.test(address);
    return isPlain && own.has(withoutWww(written)) && own.has(withoutWww(hostOf(address)));
  }
}

function hostOf(address) {
  try {
    return new URL(address).hostname;
  } catch {
    return "";
  }
}

function withoutWww(host) {
  return host.toLowerCase().replace(/^www\./, "");
}

// Without what belongs to the sentence around it.
function trimmed(address) {
  const count = (sign, end) => address.slice(0, end).split(sign).length;
  let end = address.length;
  const isOver = (last) =>
    ENDS.includes(last) ||
    (last === ")" && count(")", end) > count("(", end)) ||
    (last === "]" && count("]", end) > count("[", end));
  while (isOver(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

function link(address) {
  const element = make("a", "address", address);
  element.href = address;
  element.target = "_blank";
  element.rel = "noopener noreferrer nofollow";
  element.dir = "ltr";
  return element;
}
