import { describe, expect, it } from "vitest";

import { type Calendar, isoDay, weeksOf, workingDays, yearsOf } from "./days";

const calendar = {
  announced: [2025],
  years: { "2026": {} },
  days: [
    { day: "2026-01-01", holiday: true, name: "New Year's Day", own: true },
    { day: "2026-01-04", holiday: false, name: "", own: true },
    { day: "2026-01-10", holiday: true, name: "Saturday", own: true },
  ],
} as unknown as Calendar;

describe("the days of a calendar", () => {
  it("lays a month out in weeks from Monday", () => {
    const weeks = weeksOf(2026, 3);
    expect(weeks[0]).toEqual([null, null, null, null, null, null, 1]);
    expect(weeks.at(-1)).toEqual([30, 31, null, null, null, null, null]);
    expect(weeksOf(2024, 2).flat().filter(Boolean)).toHaveLength(29);
  });

  it("writes days as the server does", () => {
    expect(isoDay(2026, 3, 9)).toBe("2026-03-09");
  });

  it("counts Mondays to Fridays, less days off, plus make-up days", () => {
    // 2026 has 261 Mondays to Fridays.
    expect(workingDays(calendar, 2026)).toBe(261 - 1 + 1);
  });

  it("shows what is said, this year and the next", () => {
    expect(yearsOf(calendar, new Date(2027, 5, 1))).toEqual([2025, 2026, 2027, 2028]);
  });
});
