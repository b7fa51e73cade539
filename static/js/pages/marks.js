/** Marks in the browser's own timeline, which the benchmark reads. */

/** A control has been moved. */
export function markChange() {
  performance.mark("slider");
}

/**
 * Leaves a mark at the first frame after a change was drawn.
 * @param {boolean} whole whether everything was
 */
export function markPixels(whole) {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      performance.mark("pixels");
      if (!performance.getEntriesByName("slider").length) return;
      performance.measure("slider-to-first", "slider", "pixels");
      if (whole) performance.measure("slider-to-pixels", "slider", "pixels");
    };
    channel.port2.postMessage(null);
  });
}

/** Every picture has been drawn for the first time. */
export function markAll() {
  performance.mark("all-drawn");
}
