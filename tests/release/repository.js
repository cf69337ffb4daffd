// The repository's files, as the tests read them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export const read = (path) => readFileSync(join(root, path), "utf8");

/** A YAML file's value. A mistake, or a warning such as a key that stands twice, is an error. */
export function readYaml(path) {
  const document = parseDocument(read(path), { prettyErrors: true });
  for (const problem of [...document.errors, ...document.warnings]) throw new Error(`${path}: ${problem.message}`);
  return document.toJS();
}

/** The paths of a folder's YAML files. */
export const yamlFiles = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => `${folder}/${name}`);
