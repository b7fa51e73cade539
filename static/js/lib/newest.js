/**
 * One task under way, the newest waiting. While a slider moves, each answer that comes is drawn
 * and the newest choice is asked next; an answer that is slow to come is given up for it.
 *
 * @template Job, Answer
 */
export class Newest {
  /**
   * @param {(job: Job, signal: AbortSignal) => Promise<Answer>} run
   * @param {(answer: Answer, job: Job) => void} done
   * @param {(error: unknown, job: Job) => void} failed
   * @param {{patience?: number, slow?: number, now?: () => number, busy?: (busy: boolean) => void}} [options]
   *   patience: after so many ms a newer job aborts the one under way; slow: after so many ms `busy(true)`
   */
  constructor(run, done, failed, { patience = 200, slow = 200, now = () => performance.now(), busy = () => {} } = {}) {
    this.run = run;
    this.done = done;
    this.failed = failed;
    this.patience = patience;
    this.slow = slow;
    this.now = now;
    this.busy = busy;
    /** @type {{job: Job, since: number, abort: AbortController} | null} */
    this.current = null;
    /** @type {{job: Job} | null} */
    this.waiting = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.slowTimer = undefined;
  }

  /** True if nothing is under way and nothing waits. */
  get idle() {
    return this.current === null && this.waiting === null;
  }

  /** @param {Job} job */
  ask(job) {
    this.waiting = { job };
    if (this.current === null) return this.next();
    const left = this.current.since + this.patience - this.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.current && this.waiting && this.current.abort.abort(), Math.max(0, left));
  }

  /** Gives up what is under way and what waits. */
  cancel() {
    this.waiting = null;
    clearTimeout(this.timer);
    this.current?.abort.abort();
  }

  /** @private */
  next() {
    clearTimeout(this.timer);
    if (this.waiting === null) {
      clearTimeout(this.slowTimer);
      this.slowTimer = undefined;
      this.busy(false);
      return;
    }
    const { job } = this.waiting;
    const current = { job, since: this.now(), abort: new AbortController() };
    this.waiting = null;
    this.current = current;
    this.slowTimer ??= setTimeout(() => this.busy(true), this.slow);
    this.run(job, current.abort.signal).then(
      (answer) => this.finish(current, () => this.done(answer, job)),
      (error) => this.finish(current, () => current.abort.signal.aborted || this.failed(error, job)));
  }

  /**
   * @private
   * @param {{abort: AbortController}} current
   * @param {() => void} report
   */
  finish(current, report) {
    this.current = null;
    try {
      if (!current.abort.signal.aborted) {
        clearTimeout(this.slowTimer);
        this.slowTimer = undefined;
      }
      report();
    } finally {
      this.next();
    }
  }
}
