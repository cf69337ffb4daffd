// Pictures by URL, for any runtime that has fetch's Request and Response. It keeps nothing between two requests but the
// models: the same URL gives the same bytes on every node.

import { BodyError, MOST_JOBS, readJobs } from "./job-list.js";
import type { Jobs } from "./jobs.js";
import type { Models } from "./models.js";
import { digestOf, ParameterError, readParameters } from "./parameters.js";
import { streamPicture } from "./stream.js";

export type Handler = (request: Request) => Promise<Response>;

interface Context {
  request: Request;
  url: URL;
  /** What the pattern's parentheses hold. */
  id: string;
}

interface Route {
  method: "GET" | "POST";
  pattern: RegExp;
  usage: string;
  answer: (context: Context) => Promise<Response>;
}

const FOREVER = "public, max-age=31536000, immutable";

/** @param jobs where a runtime has a queue and a store: without it there are two routes less */
export function createHandler(models: Models, jobs?: Jobs): Handler {
  const routes: Route[] = [
    {
      method: "GET",
      pattern: /^\/picture$/,
      usage: "/picture?prompt=TEXT or /picture?model=digits&digit=0 to 9: a PNG",
      answer: (context) => answerPicture(models, context),
    },
    {
      method: "GET",
      pattern: /^\/stream$/,
      usage: "/stream with the same parameters: server-sent events, a preview each step, then the picture",
      answer: (context) => answerStream(models, context),
    },
  ];
  if (jobs) {
    routes.push(
      {
        method: "POST",
        pattern: /^\/pictures$/,
        usage: `/pictures with a JSON array of 1 to ${MOST_JOBS} objects of parameters: jobs`,
        answer: (context) => answerJobs(models, jobs, context),
      },
      {
        method: "GET",
        pattern: /^\/pictures\/([0-9a-f]{64})$/,
        usage: "/pictures/ID: how far a job is",
        answer: async ({ id }) => {
          const job = await jobs.find(id);
          return job ? json(200, job) : json(404, { error: `there is no job ${id}` });
        },
      },
      {
        method: "GET",
        pattern: /^\/pictures\/([0-9a-f]{64})\.png$/,
        usage: "/pictures/ID.png: a job's PNG",
        answer: async ({ request, id }) => {
          const headers = pictureHeaders(id);
          if (isKnown(request, id)) return new Response(null, { status: 304, headers });
          const picture = await jobs.picture(id);
          return picture ? new Response(picture, { headers }) : json(404, { error: `there is no picture ${id}` });
        },
      },
    );
  }

  return async (request) => {
    const url = new URL(request.url);
    const found = routes.filter(({ pattern }) => pattern.test(url.pathname));
    if (found.length === 0) {
      const usages = routes.map(({ method, usage }) => `${method} ${usage}`);
      return json(404, { error: `there is no ${url.pathname}`, routes: usages });
    }
    const isHead = request.method === "HEAD";
    const route = found.find(({ method }) => method === (isHead ? "GET" : request.method));
    if (!route) {
      const allow = found.map(({ method }) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
      return json(405, { error: `${url.pathname} takes ${allow}, got ${request.method}` }, { allow });
    }
    try {
      const [, id = ""] = route.pattern.exec(url.pathname)!;
      const response = await route.answer({ request, url, id });
      return isHead ? new Response(null, response) : response;
    } catch (error) {
      return answerError(request, error);
    }
  };
}

async function answerPicture(models: Models, { request, url }: Context): Promise<Response> {
  const parameters = readParameters(url.searchParams);
  const id = await digestOf(parameters);
  const headers = pictureHeaders(id);
  if (isKnown(request, id)) return new Response(null, { status: 304, headers });
  await models.check(parameters, request.signal);
  if (request.method === "HEAD") return new Response(null, { headers });
  const picture = await models.draw(parameters, { signal: request.signal });
  return new Response(picture as BufferSource, { headers });
}

async function answerStream(models: Models, { request, url }: Context): Promise<Response> {
  const parameters = readParameters(url.searchParams);
  await models.check(parameters, request.signal);
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
  if (request.method === "HEAD") return new Response(null, { headers });
  return new Response(streamPicture(models, parameters, { signal: request.signal }), { headers });
}

async function answerJobs(models: Models, jobs: Jobs, { request }: Context): Promise<Response> {
  const wanted = await readJobs(request, (parameters) => models.check(parameters, request.signal));
  return json(202, { jobs: await jobs.submit(wanted) });
}

function pictureHeaders(id: string): Record<string, string> {
  return { "content-type": "image/png", "cache-control": FOREVER, etag: `"${id}"` };
}

/** Whether the client has this picture already. */
function isKnown(request: Request, id: string): boolean {
  const known = request.headers.get("if-none-match") ?? "";
  return known.trim() === "*" || known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${id}"`);
}

function answerError(request: Request, error: unknown): Response {
  if (error instanceof ParameterError) return json(400, { error: error.message });
  if (error instanceof BodyError) return json(error.status, { error: error.message });
  // Nobody reads this answer. 499 is what proxies log for a client that has left.
  if (request.signal?.aborted) return new Response(null, { status: 499 });
  console.error(error);
  return json(500, { error: "the picture could not be drawn" });
}

function json(status: number, value: object, headers: Record<string, string> = {}): Response {
  const all = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers };
  return new Response(`${JSON.stringify(value, null, 2)}\n`, { status, headers: all });
}
