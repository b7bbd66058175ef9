import { render, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import { day, rememberZone, urgency } from "./dates";
import i18n from "./i18n";
import { TimeLeft } from "./TimeLeft";

describe("time left", () => {
  beforeAll(() => i18n.changeLanguage("en"));
  afterEach(() => document.body.replaceChildren());

  it.each([
    [-2, "Overdue by 2 working days"],
    [0, "Due today"],
    [1, "1 working day left"],
    [9, "9 working days left"],
    [null, "No limit"],
  ])("%s is said in words", (remaining, words) => {
    render(<TimeLeft remaining={remaining} />);
    expect(screen.getByText(words)).toBeTruthy();
  });

  it("is pressing from three working days on", () => {
    expect([4, 3, 0, -1].map(urgency)).toEqual(["later", "soon", "today", "overdue"]);
  });

  it("shows the office's date, wherever the reader is", () => {
    expect(day("2026-04-02T15:59:59Z", "en")).toContain("Apr 2");
    expect(day("2026-04-02T22:59:59Z", "en")).toContain("Apr 3");
    rememberZone("Europe/London");
    expect(day("2026-04-02T22:59:59Z", "en")).toContain("Apr 2");
  });
});
