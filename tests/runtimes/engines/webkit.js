// WebKit, as Debian packages it: MiniBrowser on a virtual screen, driven by WebKitWebDriver over the WebDriver protocol.

import { spawn } from "node:child_process";
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
  const options = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, options);
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
    const end = () => processes.map((child) => child.kill());
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
        await send("DELETE", session);
        end();
      };
      return { browser: { close }, page, version: capabilities.browserVersion };
    } catch (error) {
      end();
      throw error;
    }
  },
};
