import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { TaskForm } from "./TaskForm";

const FORM = { task_id: "t", revision: 3, css: "", html: '<input name="note" value="">' };

function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json" },
  });
}

describe("a task's form", () => {
  it("comes back with its errors and what was typed, and then completes", async () => {
    const drawn = '<div class="error-summary">wrong</div><input name="note" value="typed">';
    const posts: Request[] = [];
    const replies = [
      answer(422, { title: "no", status: 422, code: "answers_invalid", html: drawn }),
      answer(200, { id: "case" }),
    ];
    vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
      const request = new Request(
        typeof input === "string" ? new URL(input, location.origin) : input,
        init,
      );
      if (request.method === "GET") return Promise.resolve(answer(200, FORM));
      posts.push(request);
      return Promise.resolve(replies.shift()!);
    });
    const done = vi.fn();
    render(
      <QueryClientProvider client={new QueryClient()}>
        <TaskForm taskId="t" revision={3} onDone={done} />
      </QueryClientProvider>,
    );
    await waitFor(() => expect(document.querySelector("[name=note]")).toBeTruthy());
    fireEvent.submit(document.querySelector("form")!);
    await screen.findByText("wrong");
    expect(document.querySelector<HTMLInputElement>("[name=note]")!.value).toBe("typed");
    fireEvent.submit(document.querySelector("form")!);
    await waitFor(() => expect(done).toHaveBeenCalledWith({ id: "case" }));
    expect(posts[0].headers.get("If-Match")).toBe("3");
  });
});
