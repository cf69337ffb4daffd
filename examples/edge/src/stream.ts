// A picture as server-sent events: "step" with a small preview each, and at the end "picture" or "error". Both pictures
// are data URLs, for an img element.

import type { Drawing, Models } from "./models.js";
import type { Parameters } from "./parameters.js";

export function streamPicture(
  models: Models,
  parameters: Parameters,
  { signal, ...drawing }: Drawing,
): ReadableStream<Uint8Array> {
  const stopping = new AbortController();
  signal?.addEventListener("abort", () => stopping.abort(signal.reason));
  const encoder = new TextEncoder();

  return new ReadableStream({
    async start(controller) {
      const send = (event: string, data: object) => {
        // Nothing can be written to a client that has left.
        stopping.signal.throwIfAborted();
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      };
      try {
        const picture = await models.draw(parameters, {
          ...drawing,
          signal: stopping.signal,
          onStep: async ({ step, total, preview }) => {
            send("step", { step: step + 1, total, preview: dataUrlOf(await preview()) });
          },
        });
        send("picture", { picture: dataUrlOf(picture) });
      } catch (error) {
        if (stopping.signal.aborted) return;
        console.error(error);
        send("error", { error: "the picture could not be drawn" });
      }
      controller.close();
    },
    cancel(reason) {
      stopping.abort(reason);
    },
  });
}

function dataUrlOf(png: Uint8Array): string {
  return `data:image/png;base64,${btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(""))}`;
}
