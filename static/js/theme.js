// Runs before the first paint, so that no one is dazzled: the only script that is not a module.
(function () {
  "use strict";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var chosen = null;
  try {
    chosen = window.localStorage.getItem("theme");
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // storage may be forbidden: then the system's theme holds
  }
  document.documentElement.dataset.theme = chosen || (dark.matches ? "dark" : "light");
})();
