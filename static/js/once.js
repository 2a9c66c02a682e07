/* What is shown once is gone when its page is left: going Back must not bring it again, even where
   the browser kept the page in memory. */
addEventListener("pagehide", () => {
  document.querySelectorAll("[data-once]").forEach((element) => element.remove());
});
