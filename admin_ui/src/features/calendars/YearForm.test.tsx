import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { App } from "antd";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { Problem } from "../../api/client";
import i18n from "../../app/i18n";
import type { Calendar } from "./days";
import { YearForm } from "./YearForm";

/** A form of antd takes its time on a busy machine. */
const SLOW = 30_000;
const calendar = {
  name: "cn",
  extends: null,
  revision: 4,
  announced: [2026],
  years: {
    "2026": {
      announced: true,
      source: { en: "notice" },
      holidays: [{ from: "2026-05-01", to: "2026-05-05", name: { "zh-CN": "劳动节" } }],
      make_up_days: ["2026-05-09"],
    },
  },
} as unknown as Calendar;

const nothing = { cases: 2, items: [], more: false };

function shown(save: (edit: unknown) => Promise<unknown>, preview = vi.fn().mockResolvedValue(nothing)) {
  render(<App><YearForm calendar={calendar} year={2026} save={save} preview={preview} /></App>);
}

describe("editing a year", () => {
  beforeAll(() => i18n.changeLanguage("en"));
  afterEach(cleanup);

  it("sends the whole year with the revision that was seen, and the reason", async () => {
    const save = vi.fn().mockResolvedValue({});
    shown(save);
    fireEvent.change(screen.getByLabelText("To"), { target: { value: "2026-05-06" } });
    fireEvent.change(screen.getByLabelText(/Reason/), { target: { value: "one more day" } });
    fireEvent.click(screen.getByText("Save"));
    await waitFor(() => expect(save).toHaveBeenCalled());
    expect(save.mock.calls[0]![0]).toEqual({
      revision: 4,
      reason: "one more day",
      years: {
        2026: {
          announced: true,
          source: { en: "notice" },
          holidays: [{ from: "2026-05-01", to: "2026-05-06", name: { "zh-CN": "劳动节" } }],
          make_up_days: ["2026-05-09"],
        },
      },
    });
  }, SLOW);

  it("shows which dates would move, and saves nothing", async () => {
    const save = vi.fn();
    const preview = vi.fn().mockResolvedValue(nothing);
    shown(save, preview);
    fireEvent.change(screen.getByLabelText("To"), { target: { value: "2026-05-06" } });
    fireEvent.click(screen.getByText("Which dates would move?"));
    expect(await screen.findByText(/No date would move/)).toBeTruthy();
    expect(preview.mock.calls[0]![0].years[2026].holidays[0].to).toBe("2026-05-06");
    expect(save).not.toHaveBeenCalled();
  }, SLOW);

  it("says at the field what the server refuses", async () => {
    const errors = [{ field: "years.2026.make_up_days.0", code: "also_holiday", message: "That is a holiday." }];
    const save = vi.fn().mockRejectedValue(new Problem({ title: "Not like this.", status: 422, code: "calendar_refused", errors }));
    shown(save);
    fireEvent.click(screen.getByText("Save"));
    expect(await screen.findByText("That is a holiday.")).toBeTruthy();
    expect(screen.getByText("Not like this.")).toBeTruthy();
  }, SLOW);
});
