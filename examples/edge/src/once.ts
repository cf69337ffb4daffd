/** After so long whoever was loading is taken for stopped, without having said so. */
const STALE_MS = 10_000;

/**
 * Loads something once for all requests, and again after a failure.
 *
 * Nobody waits for another request's promise: where the runtime stops a request whose client has left, its promises stay
 * open for ever. The others look again and again, and one of them takes over.
 *
 * @returns a function that gives what was loaded; `signal` is that of the request
 */
export function once<T>(load: () => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let loaded: { value: T } | undefined;
  let loader: { since: number } | undefined;

  return async (signal) => {
    while (!loaded) {
      if (loader && Date.now() - loader.since < STALE_MS) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      const own = { since: Date.now() };
      const leave = () => {
        if (loader === own) loader = undefined;
      };
      loader = own;
      signal?.addEventListener("abort", leave);
      try {
        loaded = { value: await load() };
      } finally {
        signal?.removeEventListener("abort", leave);
        leave();
      }
    }
    return loaded.value;
  };
}
