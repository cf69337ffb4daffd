// Pictures that are drawn later: a queue brings them to the Worker again, and they are kept in R2 under the digest of their
// parameters. R2 also says which ones are queued, so that nobody draws a picture twice.

import type { MessageBatch, Queue, R2Bucket } from "@cloudflare/workers-types";
import type { WantedPicture } from "./job-list.js";
import type { Models } from "./models.js";
import { readParameters } from "./parameters.js";

/** How often a picture is tried. In wrangler.jsonc there are more: for those whose Worker is stopped in the middle. */
const ATTEMPTS = 4;
/** A job that has been queued for longer is lost, and may be queued again. Queues keep messages for four days. */
const LOST_AFTER_MS = 4 * 24 * 60 * 60 * 1000;

export interface Job {
  id: string;
  state: "queued" | "done" | "failed";
  /** Where the PNG is, or will be. */
  picture: string;
  reason?: string;
}

export interface Jobs {
  /** Queues what is neither drawn nor queued. */
  submit: (wanted: WantedPicture[]) => Promise<Job[]>;
  find: (id: string) => Promise<Job | null>;
  picture: (id: string) => Promise<BodyInit | null>;
}

export interface JobRunner extends Jobs {
  /** Draws what the queue brings. */
  run: (batch: MessageBatch<WantedPicture>, models: Models) => Promise<void>;
}

export function openJobs(bucket: R2Bucket, queue: Queue<WantedPicture>): JobRunner {
  const pictureKey = (id: string) => `pictures/${id}.png`;
  /** An object without content: its state and its reason are metadata. */
  const stateKey = (id: string) => `jobs/${id}`;
  const jobOf = (id: string, state: Job["state"], reason?: string): Job => ({
    id,
    state,
    picture: `/${pictureKey(id)}`,
    ...(reason !== undefined && { reason }),
  });

  const find = async (id: string): Promise<Job | null> => {
    if (await bucket.head(pictureKey(id))) return jobOf(id, "done");
    const kept = await bucket.head(stateKey(id));
    if (!kept) return null;
    const { reason } = kept.customMetadata ?? {};
    return reason === undefined ? jobOf(id, "queued") : jobOf(id, "failed", reason);
  };

  /** Whether the caller is the one who has to queue it: of several at once it is one. */
  const reserve = async (id: string): Promise<boolean> => {
    const key = stateKey(id);
    const kept = await bucket.head(key);
    const isOver = kept && (kept.customMetadata?.["reason"] || Date.now() - kept.uploaded.getTime() > LOST_AFTER_MS);
    if (kept && !isOver) return false;
    const onlyIf = kept ? { etagMatches: kept.etag } : { etagDoesNotMatch: "*" };
    return (await bucket.put(key, crypto.randomUUID(), { onlyIf })) !== null;
  };

  return {
    find,
    async picture(id) {
      const kept = await bucket.get(pictureKey(id));
      return kept && (kept.body as unknown as BodyInit);
    },
    async submit(wanted) {
      const reserved: WantedPicture[] = [];
      const jobs = await Promise.all(
        wanted.map(async ({ id, query }) => {
          const isDrawn = (await bucket.head(pictureKey(id))) !== null;
          if (!isDrawn && (await reserve(id))) reserved.push({ id, query });
          return jobOf(id, isDrawn ? "done" : "queued");
        }),
      );
      try {
        if (reserved.length > 0) await queue.sendBatch(reserved.map((body) => ({ body })));
      } catch (error) {
        await bucket.delete(reserved.map(({ id }) => stateKey(id)));
        throw error;
      }
      return jobs;
    },
    async run({ messages }, models) {
      for (const message of messages) {
        const { id, query } = message.body;
        try {
          // A queue may bring a message twice.
          if (!(await bucket.head(pictureKey(id)))) {
            const picture = await models.draw(readParameters(new URLSearchParams(query)));
            await bucket.put(pictureKey(id), picture, { httpMetadata: { contentType: "image/png" } });
          }
          await bucket.delete(stateKey(id));
          message.ack();
        } catch (error) {
          console.error(error);
          if (message.attempts < ATTEMPTS) {
            message.retry({ delaySeconds: 2 ** (message.attempts - 1) });
            continue;
          }
          const reason = `not drawn in ${ATTEMPTS} attempts`;
          await bucket.put(stateKey(id), crypto.randomUUID(), { customMetadata: { reason } });
          message.ack();
        }
      }
    },
  };
}
