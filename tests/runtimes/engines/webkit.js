// WebKit, as Debian packages it: MiniBrowser on a virtual screen, driven by WebKitWebDriver over the WebDriver protocol.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";

const DRIVER = "/usr/bin/WebKitWebDriver";
const SCREEN = "/usr/bin/Xvfb";
const BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const DISPLAY = ":77";
const SCREEN_SOCKET = "/tmp/.X11-unix/X77";
const PORT = 4555;

/** The first of the files WebKit takes that this machine lacks. */
const missing = [DRIVER, SCREEN, BROWSER].find((file) => !existsSync(file));

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

async function send(method, path, body) {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const signal = AbortSignal.timeout(30_000); // a browser that does not start is an error, not a wait without end
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, { method, signal, ...content });
  const { value } = await response.json();
  if (value?.error) throw new Error(value.message);
  return value;
}

/** Waits until the driver answers. */
async function untilReady() {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send("GET", "/status");
    } catch (error) {
      if (attempt === 50) throw error;
      await pause();
    }
  }
}

export const webkit = {
  name: "WebKit",
  file: missing ?? BROWSER,
  async open() {
    // The sandbox takes namespaces that containers do not have.
    const env = { ...process.env, DISPLAY, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
    const processes = [spawn(SCREEN, [DISPLAY, "-screen", "0", "800x600x24"], { stdio: "ignore" })];
    for (let attempt = 0; attempt < 50 && !existsSync(SCREEN_SOCKET); attempt++) await pause();
    processes.push(spawn(DRIVER, [`--port=${PORT}`], { stdio: "ignore", env }));
    // The next browser takes the same display and port: they have to be free when this one is closed.
    const end = () =>
      Promise.all(processes.filter((child) => child.kill()).map((child) => child.exitCode ?? once(child, "exit")));
    try {
      await untilReady();
      const options = { binary: BROWSER, args: ["--automation"] };
      const alwaysMatch = { "webkitgtk:browserOptions": options };
      const { sessionId, capabilities } = await send("POST", "/session", { capabilities: { alwaysMatch } });
      const session = `/session/${sessionId}`;
      const page = {
        on() {},
        goto: (url) => send("POST", `${session}/url`, { url }),
        title: () => send("GET", `${session}/title`),
      };
      const close = async () => {
        await send("DELETE", session).finally(end);
      };
      return { browser: { close }, page, version: capabilities.browserVersion };
    } catch (error) {
      await end();
      throw error;
    }
  },
};
