/* Runs in the head before anything is drawn: the theme a person chose here, the class that says
   JavaScript runs, and the fold of the filters on narrow screens. The button in the header goes round system, light, dark. */
(() => {
  const root = document.documentElement;
  const key = "portico-theme";
  const choices = ["auto", "light", "dark"];
  const names = { auto: "system", light: "light", dark: "dark" };

  const stored = () => {
    try {
      const value = localStorage.getItem(key);
      return choices.includes(value) ? value : "auto";
    } catch {
      return "auto"; // Storage can be forbidden; the system's preference then holds.
    }
  };

  const apply = (choice) => {
    root.dataset.themeChoice = choice;
    if (choice === "auto") delete root.dataset.bsTheme;
    else root.dataset.bsTheme = choice;
  };

  root.classList.add("js");
  apply(stored());

  /* Closed as soon as they are parsed, so that nothing moves afterwards; app.js keeps them so. */
  if (!matchMedia("(width >= 992px)").matches) {
    const watch = new MutationObserver(() => {
      const filters = document.querySelector("details.filters-toggle");
      if (!filters) return;
      filters.open = false;
      watch.disconnect();
    });
    watch.observe(root, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", () => watch.disconnect());
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    if (!button) return;
    const describe = () => {
      const text = `Theme: ${names[root.dataset.themeChoice]}`;
      button.title = text;
      button.querySelector("[data-theme-label]").textContent = text;
    };
    describe();
    button.addEventListener("click", () => {
      const next = choices[(choices.indexOf(root.dataset.themeChoice) + 1) % choices.length];
      apply(next);
      describe();
      try {
        localStorage.setItem(key, next);
      } catch {
        // The choice then lasts for this page only.
      }
    });
  });
})();
