/** The header's buttons: theme, presenter mode, the link; and the drawer of controls. */

import { byId, make, setText } from "../lib/dom.js";
import { forgetColours } from "../figures/palette.js";

const NARROW = "(max-width: 61.99rem)";

/**
 * @param {{recolour: () => void, resize: () => void, link: () => string}} page
 */
export function chrome({ recolour, resize, link }) {
  const theme = byId("theme");
  const presenter = byId("presenter");
  const root = document.documentElement;
  const showTheme = () => {
    theme.setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
    forgetColours();
  };
  theme.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    remember("theme", root.dataset.theme);
    showTheme();
    recolour();
  });
  presenter.addEventListener("click", () => {
    const on = root.dataset.presenter === undefined;
    if (on) root.dataset.presenter = "";
    else delete root.dataset.presenter;
    presenter.setAttribute("aria-pressed", String(on));
    drawer();
    resize();
  });
  byId("copy-link").addEventListener("click", () => copy(byId("copy-link"), link()));
  matchMedia(NARROW).addEventListener("change", drawer);
  const opener = document.getElementById("open-controls");
  opener?.addEventListener("click", () => byId("controls").togglePopover({ source: opener })); // from there the keyboard goes on into it
  showTheme();
  drawer();
}

/** Where there is no room beside the pictures, the controls are a drawer. */
function drawer() {
  const folded = matchMedia(NARROW).matches || document.documentElement.dataset.presenter !== undefined;
  const controls = document.getElementById("controls");
  if (!controls) return; // only the Explore page has any
  if (folded && !controls.hasAttribute("popover")) controls.setAttribute("popover", "auto");
  else if (!folded) controls.removeAttribute("popover");
}

/**
 * @param {string} name
 * @param {string} value
 */
function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // storage may be forbidden: the choice then holds for this page alone
  }
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
async function copy(button, text) {
  const label = "Copy link";
  try {
    await navigator.clipboard.writeText(text);
    setText(button, "Copied");
  } catch (error) {
    if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
    offer(button, text);
  }
  setTimeout(() => setText(button, label), 1500);
}

/**
 * Shows a text to be copied by hand, until something else is done: there is no clipboard here, and in a frame no dialog.
 * @param {HTMLElement} button
 * @param {string} text
 */
function offer(button, text) {
  const field = /** @type {HTMLInputElement} */ (make("input", { class: "link", type: "text", readonly: "", "aria-label": "Copy this link" }));
  field.value = text;
  field.addEventListener("blur", () => field.remove(), { once: true });
  button.after(field);
  field.select();
}
