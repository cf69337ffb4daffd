// The body of POST /pictures: a JSON array of objects, each with the parameters of a picture.

import { canonicalQuery, digestOf, ParameterError, type Parameters, readParameters } from "./parameters.js";

/** What a queue takes at once. */
export const MOST_JOBS = 100;
/** More than a hundred jobs with the longest texts have. */
const MOST_BYTES = 400_000;

/** A picture to draw later: its digest, and its parameters as a canonical query. */
export interface WantedPicture {
  id: string;
  query: string;
}

/** A body that is not read. */
export class BodyError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * @param check throws ParameterError for what the parameters themselves do not show
 * @throws ParameterError, BodyError
 */
export async function readJobs(
  request: Request,
  check: (parameters: Parameters) => Promise<void>,
): Promise<WantedPicture[]> {
  const wanted = [];
  for (const [i, job] of readList(await readText(request)).entries()) {
    try {
      const parameters = readParameters(queryOf(job));
      await check(parameters);
      wanted.push({ id: await digestOf(parameters), query: canonicalQuery(parameters) });
    } catch (error) {
      throw error instanceof ParameterError ? error.within(`job ${i}`) : error;
    }
  }
  return wanted;
}

async function readText(request: Request): Promise<string> {
  const length = request.headers.get("content-length");
  if (length === null) throw new BodyError(411, "the body takes a content-length");
  if (Number(length) > MOST_BYTES) throw new BodyError(413, `the body has ${length} bytes, more than ${MOST_BYTES}`);
  return request.text();
}

function readList(text: string): unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new ParameterError("body", text, `JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(list)) throw new ParameterError("body", text, "a JSON array");
  if (list.length < 1 || list.length > MOST_JOBS) {
    throw new ParameterError("body", `${list.length} jobs`, `1 to ${MOST_JOBS}`);
  }
  return list;
}

function queryOf(job: unknown): URLSearchParams {
  if (typeof job !== "object" || job === null || Array.isArray(job)) {
    throw new ParameterError("job", JSON.stringify(job), "an object of parameters");
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(job)) {
    // A larger number has lost its last digits by the time it is read.
    const isExact = typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    if (typeof value !== "string" && !isExact) {
      throw new ParameterError(name, JSON.stringify(value), "a string, or a number up to 2^53 - 1");
    }
    query.set(name, String(value));
  }
  return query;
}
