// Choosing is enough: no need to press "Show".
export function filters(form) {
  form.addEventListener("change", () => form.requestSubmit());
  form.querySelector("button").hidden = true;
}
