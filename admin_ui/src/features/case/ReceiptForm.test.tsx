import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { App } from "antd";
import { MemoryRouter } from "react-router";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import type { CaseView } from "../../api/client";
import i18n from "../../app/i18n";
import { instantOf, rememberZone, wallTime } from "../../app/dates";
import { ReceiptForm } from "./ReceiptForm";

const SLOW = 30_000;
const view = { id: "c1", received_at: "2026-03-02T01:00:00Z" } as CaseView;
const move = {
  case_id: "c1", reference: "XXGK-2026-0000001-7", clock: "legal", element: "", name: "Legal date",
  previous_due: "2026-03-30T15:59:59Z", new_due: "2026-03-26T15:59:59Z", refused: null,
};

describe("the office's time", () => {
  it("is that of its calendar, in summer and winter", () => {
    rememberZone("Europe/London");
    expect(instantOf("2026-01-05T10:00")).toBe("2026-01-05T10:00:00.000Z");
    expect(instantOf("2026-07-06T10:00")).toBe("2026-07-06T09:00:00.000Z");
    rememberZone("Asia/Shanghai");
    expect(instantOf("2026-02-27T10:00")).toBe("2026-02-27T02:00:00.000Z");
    expect(wallTime("2026-02-27T02:00:00Z")).toBe("2026-02-27T10:00");
  });
});

describe("correcting a receipt", () => {
  beforeAll(() => i18n.changeLanguage("en"));
  afterEach(() => { cleanup(); vi.unstubAllGlobals(); });

  it("shows what would move before it can be done", async () => {
    const sent: Record<string, unknown>[] = [];
    const answer = vi.fn(async (request: Request) => {
      if (request.method === "POST") sent.push((await request.json()) as Record<string, unknown>);
      const body = request.method === "POST" ? { items: [move] } : { id: "c1" };
      return new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
    });
    vi.stubGlobal("fetch", answer);
    const changed = vi.fn();
    render(
      <QueryClientProvider client={new QueryClient()}>
        <App><MemoryRouter><ReceiptForm view={view} onChanged={changed} /></MemoryRouter></App>
      </QueryClientProvider>,
    );
    fireEvent.click(screen.getByText("Correct"));
    fireEvent.change(await screen.findByLabelText(/Received/), { target: { value: "2026-02-27T10:00" } });
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: "postmark" } });
    const save = screen.getByText("Correct it").closest("button")!;
    expect(save.disabled).toBe(true);
    fireEvent.click(screen.getByText("Which dates would move?"));
    expect(await screen.findByText("Legal date")).toBeTruthy();
    fireEvent.click(screen.getByText("Correct it"));
    await waitFor(() => expect(changed).toHaveBeenCalled());
    const asked = { received_at: "2026-02-27T02:00:00.000Z", reason: "postmark" };
    expect(sent).toEqual([{ ...asked, trial: true }, { ...asked, trial: false }]);
  }, SLOW);
});
