// Names what the numbers were measured on.

import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, type } from "node:os";

function readJson(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

/** The processor, the system and the versions of everything that takes part. */
export function describeMachine() {
  const packages = {};
  for (const name of Object.keys(readJson("package.json").dependencies)) {
    packages[name] = readJson(`node_modules/${name}/package.json`).version;
  }
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    v8: process.versions.v8,
    loadAverage: loadavg()[0],
    packages,
  };
}
