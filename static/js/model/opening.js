/** Where a trace comes from: the file picker, a file that is dropped anywhere on the page, or the example. */

import { byId } from "../lib/dom.js";

/**
 * @param {(file: Blob, name: string) => void} open
 * @param {() => void} example
 */
export function listenForFiles(open, example) {
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  const zone = byId("drop");
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) open(file, file.name);
  });
  byId("example").addEventListener("click", example);
  addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    zone.dataset.over = "";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete zone.dataset.over;
  });
  addEventListener("drop", (event) => {
    delete zone.dataset.over;
    if (!holdsFile(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    input.value = "";
    open(file, file.name);
  });
}

/** @param {DragEvent} event */
function holdsFile(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
