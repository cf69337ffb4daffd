// WebKit, as Debian packages it: MiniBrowser on a virtual screen, driven by WebKitWebDriver over the WebDriver protocol.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";

const DRIVER = "/usr/bin/WebKitWebDriver";
const SCREEN = "/usr/bin/Xvfb";
const BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
/** Of this process, so that several can have a browser at the same time. */
const NUMBER = 1000 + (process.pid % 9000);
const DISPLAY = `:${NUMBER}`;
const SCREEN_SOCKET = `/tmp/.X11-unix/X${NUMBER}`;
const PORT = 20000 + NUMBER;

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

/** What WebDriver calls keys that are no characters. */
const KEYS = {
  Backspace: "\uE003",
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Control: "\uE009",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
  Delete: "\uE017",
};

/** The part of puppeteer's page that works here too. */
function pageOf(session) {
  const act = (source) => send("POST", `${session}/actions`, { actions: [source] });
  const point = (...actions) => act({ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions });
  const key = (type) => (name) => act({ type: "key", id: "keys", actions: [{ type, value: KEYS[name] ?? name }] });
  return {
    on() {},
    goto: (url) => send("POST", `${session}/url`, { url }),
    reload: () => send("POST", `${session}/refresh`, {}),
    goBack: () => send("POST", `${session}/back`, {}),
    title: () => send("GET", `${session}/title`),
    /** As puppeteer's: a function that knows nothing but its arguments. */
    evaluate: (work, ...args) =>
      send("POST", `${session}/execute/sync`, { script: `return (${work})(...arguments)`, args }),
    mouse: {
      move: (x, y) => point({ type: "pointerMove", duration: 0, x: Math.round(x), y: Math.round(y) }),
      down: () => point({ type: "pointerDown", button: 0 }),
      up: () => point({ type: "pointerUp", button: 0 }),
    },
    keyboard: { down: key("keyDown"), up: key("keyUp") },
  };
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
      const close = async () => {
        await send("DELETE", session).finally(end);
      };
      return { browser: { close }, page: pageOf(session), version: capabilities.browserVersion };
    } catch (error) {
      await end();
      throw error;
    }
  },
};
