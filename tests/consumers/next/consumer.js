import { openUrl } from "../pages.js";
import { commandOf, runCommand, serve } from "../tools.js";

const folder = import.meta.dirname;

export default [
  {
    name: "Next: a client component, a node route, an edge route",
    packages: ["next", "react", "typescript"],
    run: async () => {
      await runCommand(folder, "next", ["build"], { env: { NEXT_TELEMETRY_DISABLED: "1" } });
      const server = await serve(folder, process.execPath, (port) => [commandOf("next"), "start", "--port", port]);
      try {
        const responses = [await fetch(`${server.url}/node`), await fetch(`${server.url}/edge`)];
        const texts = await Promise.all(responses.map((response) => response.text()));
        return { output: [...texts, await openUrl(server.url)].join("\n"), steps: 3 };
      } finally {
        await server.close();
      }
    },
  },
];
