/* Runs in the head before anything is drawn: the theme a person chose here, and the class that says
   JavaScript runs. The button in the header goes round system, light, dark. */
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

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    if (!button) return;
    const describe = () => {
      const text = `Theme: ${names[root.dataset.themeChoice]}`;
      button.title = text;
      button.querySelector("[data-theme-label]").textContent = text;
    };
    button.hidden = false;
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
