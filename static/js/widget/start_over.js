// "Start over" asks once, in place, before it lets go of the conversation on screen.
export function connectStartOver({ button, question, confirmed, cancelled }) {
  const [yes, no] = question.querySelectorAll("button");

  function ask() {
    question.hidden = false;
    button.setAttribute("aria-expanded", "true");
    no.focus();
  }

  // True if there was a question to close.
  function close() {
    if (question.hidden) return false;
    question.hidden = true;
    button.setAttribute("aria-expanded", "false");
    return true;
  }

  button.addEventListener("click", () => (question.hidden ? ask() : cancel()));
  no.addEventListener("click", cancel);
  yes.addEventListener("click", () => {
    close();
    confirmed();
  });

  function cancel() {
    if (close()) cancelled();
  }

  return { close };
}
