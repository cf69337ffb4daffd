import type { Read } from "./models.js";

/** Reads the models' files over fetch: the runtime's own, or that of a Worker's static assets. */
export function readOver(origin: string, host: { fetch: (url: string) => Promise<Response> } = globalThis): Read {
  return async (path) => {
    const response = await host.fetch(`${origin}/models/${path}`);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    if (response.status === 404) return null;
    throw new Error(`models/${path}: the server answers ${response.status}`);
  };
}
