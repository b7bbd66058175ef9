import createClient from "openapi-fetch";

import i18n from "../app/i18n";
import type { components, paths } from "./schema";

export type Shapes = components["schemas"];
export type Me = Shapes["Me"];
export type TaskRow = Shapes["TaskRow"];
export type CaseView = Shapes["CaseView"];
export type Finding = Shapes["FindingView"];

/** What the server says went wrong; `title` is a sentence in the reader's language. */
export interface ProblemBody {
  title: string;
  status: number;
  code: string;
  html?: string;
  findings?: Finding[];
  errors?: { field: string; code: string; message: string }[];
  params?: Record<string, unknown>;
}

export class Problem extends Error {
  constructor(readonly body: ProblemBody) {
    super(body.title);
  }
}

let csrfToken = "";
export function rememberToken(token: string): void {
  csrfToken = token;
}

function withHeaders(request: Request): Request {
  const made = new Request(request);
  made.headers.set("Accept-Language", i18n.language);
  if (csrfToken) made.headers.set("X-CSRF-Token", csrfToken);
  return made;
}

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => globalThis.fetch(withHeaders(request)),
});

/** The data of an answer, or a `Problem`. */
export async function take<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  let result;
  try {
    result = await answer;
  } catch {
    throw new Problem({ title: i18n.t("offline"), status: 0, code: "offline" });
  }
  if (result.error !== undefined || !result.response.ok) {
    throw new Problem(asBody(result.error, result.response.status));
  }
  return result.data as T;
}

function asBody(error: unknown, status: number): ProblemBody {
  if (error && typeof error === "object" && "title" in error) return error as ProblemBody;
  return { title: i18n.t("unexpected"), status, code: "unexpected" };
}

/** Posts a form with files, which the typed client describes as text. */
export async function postForm<T>(path: string, body: FormData, revision?: number): Promise<T> {
  const headers: Record<string, string> = {
    "Accept-Language": i18n.language,
    "X-CSRF-Token": csrfToken,
  };
  if (revision !== undefined) headers["If-Match"] = String(revision);
  return take<T>(
    globalThis.fetch(path, { method: "POST", body, headers }).then(async (response) => {
      const json: unknown = await response.json().catch(() => undefined);
      return response.ok
        ? { data: json as T, response }
        : { error: json ?? {}, response };
    }),
  );
}
