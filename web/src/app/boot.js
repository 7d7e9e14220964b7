// Runs before the first paint: the person's language and theme, so that neither flashes.
(function () {
  var root = document.documentElement;
  var kept = function (key) {
    try {
      return localStorage.getItem("nanoka." + key);
    } catch {
      return null;
    }
  };
  var language = kept("language") || navigator.language || "en";
  root.lang = language.slice(0, 2) === "ja" ? "ja" : "en";
  // The pages are exported in English: words of another language wait, unseen, for the page's script.
  if (root.lang !== "en") root.dataset.pending = "";
  var theme = kept("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = theme === "dark" ? "dark" : "light";
  if (kept("sidebar") === "closed") root.dataset.sidebar = "closed";
})();
