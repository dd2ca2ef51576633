// Shows on the demo page what a host page hears of the chat: an event to count conversions by.
const list = document.getElementById("told");

addEventListener("p5:completed", ({ detail }) => {
  document.getElementById("told-nothing").hidden = true;
  const item = document.createElement("li");
  const time = new Date().toLocaleTimeString();
  item.textContent = `${time} · p5:completed · site ${detail.site} · session ${detail.session_id}`;
  list.append(item);
});
