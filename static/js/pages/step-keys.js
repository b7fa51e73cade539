/** The arrow keys move the marked step, in whatever picture they are pressed. */

/**
 * @param {HTMLElement} surface
 * @param {() => {step: number, last: number} | null} where the marked step and the last one; null before there are any
 * @param {(step: number) => void} go
 */
export function listenStepKeys(surface, where, go) {
  surface.addEventListener("keydown", (event) => {
    const now = where();
    if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
    const { step, last } = now;
    const stride = event.shiftKey ? 10 : 1;
    /** @type {Record<string, number>} */
    const goal = { ArrowLeft: step - stride, ArrowDown: step - stride, ArrowRight: step + stride, ArrowUp: step + stride,
      PageDown: step - 10, PageUp: step + 10, Home: 0, End: last };
    if (!(event.key in goal)) return;
    event.preventDefault();
    go(Math.min(last, Math.max(0, goal[event.key])));
  });
}
