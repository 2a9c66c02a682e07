/* Hides the questions of a form that are not asked, by the answers before them. Without it all are
   shown with their condition, and the server leaves out the ones that were not asked. */
(() => {
  const answersTo = (form, name) =>
    [...form.elements]
      .filter((control) => control.name === name && !control.disabled)
      .filter((control) => !["checkbox", "radio"].includes(control.type) || control.checked)
      .map((control) => control.value);
  const update = (form) => {
    form.querySelectorAll("[data-when]").forEach((part) => {
      const wanted = JSON.parse(part.dataset.whenIs);
      part.hidden = !answersTo(form, part.dataset.when).some((value) => wanted.includes(value));
      // What is hidden is not an answer to a question that depends on it.
      part.querySelectorAll("input, select, textarea").forEach((control) => {
        control.disabled = part.hidden;
      });
    });
  };
  const forms = new Set([...document.querySelectorAll("[data-when]")].map((part) => part.closest("form")));
  forms.forEach((form) => {
    if (!form) return;
    update(form);
    form.addEventListener("change", () => update(form));
  });
})();
