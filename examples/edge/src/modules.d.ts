// What scripts/bundle.js makes of these imports, in each runtime's own way.

/** A compiled module, whichever way the runtime gets at it. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** The models' files by their paths, inside the bundle. */
declare module "embedded-models" {
  const files: Record<string, Uint8Array>;
  export default files;
}

declare module "cloudflare:workers" {
  /** What wrangler.jsonc binds. */
  const env: {
    ASSETS: { fetch: (url: string) => Promise<Response> };
    PICTURES: import("@cloudflare/workers-types").R2Bucket;
    JOBS: import("@cloudflare/workers-types").Queue<import("./job-list.js").WantedPicture>;
  };
}

/** What src/deno.ts uses of it. */
declare const Deno: {
  args: string[];
  serve: (options: { port: number }, handler: (request: Request) => Promise<Response>) => void;
};
