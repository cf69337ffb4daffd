// The page's end of the worker: starts it, draws with it, and starts another one if it broke.

import { proxy, wrap } from "comlink";

/**
 * @typedef {import("./worker/worker.js").StepReport} StepReport
 * @typedef {import("./worker/worker.js").Drawn} Drawn
 * @typedef {import("./worker/worker.js").Start} Start
 */

/** What goes wrong in a browser that has switched it off; a key of the strings. */
const NO_WEBASSEMBLY = "noWebAssembly";

export class Painter {
  #worker;
  /** @type {import("comlink").Remote<import("./worker/worker.js").Protocol>} */
  #remote;
  #failed;

  #start() {
    if (typeof WebAssembly !== "object") throw new Error(NO_WEBASSEMBLY);
    if (this.#worker) return;
    this.#worker = new Worker(new URL("./worker/worker.js", import.meta.url), { type: "module" });
    this.#failed = new Promise((_, reject) => {
      this.#worker.addEventListener("error", ({ message }) => reject(new Error(message || "the worker did not start")));
    });
    this.#failed.catch(() => {});
    this.#remote = wrap(this.#worker);
  }

  /** Work of the worker. One that broke is not asked again. */
  async #run(work) {
    this.#start();
    const failed = this.#failed.catch((error) => {
      this.end();
      throw error;
    });
    return Promise.race([work(this.#remote), failed]);
  }

  /**
   * @param {"words" | "digits"} model
   * @param {(report: { read: number, total: number }) => void} onBytes
   */
  async load(model, onBytes) {
    try {
      await this.#run((remote) => remote.load(model, proxy(onBytes)));
    } catch (error) {
      this.end(); // onnxruntime does not start twice where it could not start once
      throw error;
    }
  }

  /**
   * @param {import("./settings.js").Settings} settings
   * @param {Start} start
   * @param {{ signal: AbortSignal, onStep: (report: StepReport) => void }} options
   * @returns {Promise<Drawn | null>} null if it was aborted
   */
  draw(settings, start, { signal, onStep }) {
    const answer = (report) => {
      if (!signal.aborted) onStep(report);
      return !signal.aborted;
    };
    return this.#run((remote) => remote.draw(settings, start, proxy(answer)));
  }

  end() {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
